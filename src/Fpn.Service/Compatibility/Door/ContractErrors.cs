using System.Net.Mime;
using Fpn.Service.Problems;
using Microsoft.AspNetCore.Diagnostics;

namespace Fpn.Service.Compatibility.Door;

/// <summary>Writes failures in the form of the contract whose endpoint was called.</summary>
internal sealed class ContractErrors : IProblemForm
{
    /// <inheritdoc/>
    public bool Covers(HttpContext context) => ContractFor(context) is not null;

    /// <inheritdoc/>
    public Task WriteAsync(Problem problem, HttpContext context)
    {
        var body = ContractFor(context)!.ErrorBody(problem, ProblemResult.TraceId(context));
        context.Response.ContentType = MediaTypeNames.Application.Json;
        return context.Response.WriteAsync(body.ToJsonString(JsonText.Readable), CancellationToken.None);
    }

    /// <summary>The handler of exceptions takes the endpoint off the request, and keeps it.</summary>
    private static IContract? ContractFor(HttpContext context) =>
        (context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint)?
        .Metadata.GetMetadata<ContractEndpoint>()?.Contract;
}

using System.Globalization;
using System.Text.Json.Nodes;
using Fpn.Service.Annotations;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>Lists the problems that an operation may answer with, each with an example.</summary>
internal sealed class ProblemResponseFilter : IOperationFilter
{
    private const string SchemaName = "Problem";
    private const string ErrorSchemaName = "Error";

    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var isError = OpenInferenceRegistration.Speaks($"/{context.ApiDescription.RelativePath}");
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        var contract = metadata.OfType<ContractEndpoint>().LastOrDefault()?.Contract;
        var declared = metadata.OfType<ProblemsMetadata>();
        foreach (var group in declared.SelectMany(listed => listed.Problems).GroupBy(problem => problem.Status))
        {
            operation.Responses ??= [];
            operation.Responses[group.Key.ToString(CultureInfo.InvariantCulture)] =
                contract is not null ? ContractErrorSchema.Describe([.. group], contract)
                : isError ? DescribeErrors([.. group], ErrorSchema(context))
                : Describe([.. group], Schema(context));
        }
    }

    /// <summary>One schema for all problems, by reference.</summary>
    public static OpenApiSchemaReference Schema(OperationFilterContext context)
    {
        if (!context.SchemaRepository.Schemas.ContainsKey(SchemaName))
        {
            context.SchemaRepository.AddDefinition(SchemaName, new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "A failure (RFC 9457).",
                Required = new HashSet<string> { "type", "title", "status", "detail", "traceId" },
                Properties = new Dictionary<string, IOpenApiSchema>
                {
                    ["type"] = Described(JsonSchemaType.String, "Stable; compare this one."),
                    ["title"] = Described(JsonSchemaType.String, "The same for every problem of the type."),
                    ["status"] = Described(JsonSchemaType.Integer, "The answer's status.", "int32"),
                    ["detail"] = Described(JsonSchemaType.String, "What was wrong here, and what to do."),
                    ["parameter"] = Described(
                        JsonSchemaType.String, "The parameter or part that was wrong, if one was."),
                    ["retryAfterSeconds"] = Described(
                        JsonSchemaType.Integer, "When to try again, where that is known; also `Retry-After`.", "int64"),
                    ["traceId"] = Described(JsonSchemaType.String, "Find the request in the log by it."),
                },
            });
        }

        return new OpenApiSchemaReference(SchemaName, context.Document);
    }

    /// <summary>One schema for the failures below <c>/v2</c>, by reference.</summary>
    private static OpenApiSchemaReference ErrorSchema(OperationFilterContext context)
    {
        if (!context.SchemaRepository.Schemas.ContainsKey(ErrorSchemaName))
        {
            context.SchemaRepository.AddDefinition(ErrorSchemaName, new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "A failure, as the Open Inference Protocol wants it.",
                Required = new HashSet<string> { "error" },
                Properties = new Dictionary<string, IOpenApiSchema>
                {
                    ["error"] = Described(JsonSchemaType.String, "What was wrong, and what to do."),
                },
            });
        }

        return new OpenApiSchemaReference(ErrorSchemaName, context.Document);
    }

    private static OpenApiResponse DescribeErrors(IReadOnlyList<Problem> problems, IOpenApiSchema schema) => new()
    {
        Description = Titles(problems),
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["application/json"] = new OpenApiMediaType
            {
                Schema = schema,
                Examples = problems.ToDictionary(
                    problem => problem.Type,
                    IOpenApiExample (problem) => new OpenApiExample
                    {
                        Value = new JsonObject { ["error"] = ErrorResponse.TextFor(problem) },
                    }),
            },
        },
    };

    private static OpenApiSchema Described(JsonSchemaType type, string description, string? format = null) =>
        new() { Type = type, Format = format, Description = description };

    private static string Titles(IReadOnlyList<Problem> problems) =>
        string.Join("; ", problems.Select(problem => problem.Title)) + ".";

    private static OpenApiResponse Describe(IReadOnlyList<Problem> problems, IOpenApiSchema schema) => new()
    {
        Description = Titles(problems),
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["application/problem+json"] = new OpenApiMediaType
            {
                Schema = schema,
                Examples = problems.ToDictionary(
                    problem => problem.Type,
                    IOpenApiExample (problem) => new OpenApiExample { Value = Example(problem) }),
            },
        },
    };

    /// <summary>The body of a problem.</summary>
    public static JsonObject Example(Problem problem)
    {
        var example = new JsonObject
        {
            ["type"] = problem.Type,
            ["title"] = problem.Title,
            ["status"] = problem.Status,
            ["detail"] = problem.Detail,
        };
        if (problem.Parameter is not null)
        {
            example["parameter"] = problem.Parameter;
        }

        if (problem.RetryAfterSeconds is { } wait)
        {
            example["retryAfterSeconds"] = wait;
        }

        example["traceId"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        return example;
    }
}

using Fpn.Service.Lifetime;
using Fpn.Service.Observability;
using Fpn.Service.Problems;
using Grpc.Core;
using Grpc.Health.V1;
using HealthCheckResponse = Grpc.Health.V1.HealthCheckResponse;

namespace Fpn.Service.GrpcPort;

/// <summary>gRPC's health protocol: what <c>/health/ready</c> says, for load balancers that speak gRPC.</summary>
/// <remarks>It knows the server as a whole, under the empty name, and the services by theirs.</remarks>
internal sealed class HealthService(ReadinessCheck readiness, Drain drain, TimeProvider clock) : Health.HealthBase
{
    /// <summary>How often a watched status is looked at.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>The services that the server has; the empty name stands for all.</summary>
    private static readonly string[] Names = [string.Empty, "inference.GRPCInferenceService"];

    /// <inheritdoc/>
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Names.Contains(request.Service)
            ? Task.FromResult(new HealthCheckResponse { Status = Status() })
            : throw GrpcStatuses.Fail(UnknownService(request.Service), context.GetHttpContext());

    /// <inheritdoc/>
    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        // A service that is not known may be one day: the protocol keeps the call open.
        var isKnown = Names.Contains(request.Service);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, drain.Closing);
        using var timer = new PeriodicTimer(Pause, clock);
        var last = HealthCheckResponse.Types.ServingStatus.Unknown;
        try
        {
            do
            {
                var status = isKnown ? Status() : HealthCheckResponse.Types.ServingStatus.ServiceUnknown;
                if (status != last)
                {
                    await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, end.Token);
                    last = status;
                }
            }
            while (await timer.WaitForNextTickAsync(end.Token));
        }
        catch (OperationCanceledException) when (drain.Closing.IsCancellationRequested)
        {
            throw GrpcStatuses.Fail(GrpcDoor.Closed(), context.GetHttpContext());
        }
    }

    private static Problem UnknownService(string name) => new(
        StatusCodes.Status404NotFound,
        "not-found",
        "Not found",
        $"There is no service '{name}'. Known: {Names[1]}, and the empty name for all.");

    private HealthCheckResponse.Types.ServingStatus Status() => readiness.Obstacle is null
        ? HealthCheckResponse.Types.ServingStatus.Serving
        : HealthCheckResponse.Types.ServingStatus.NotServing;
}

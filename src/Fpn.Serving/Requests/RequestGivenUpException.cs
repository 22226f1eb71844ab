namespace Fpn.Serving.Requests;

/// <summary>The service gave an image up because the rest of its request had failed: its answer would go nowhere.</summary>
/// <param name="givenUp">The token that said so.</param>
internal sealed class RequestGivenUpException(CancellationToken givenUp)
    : OperationCanceledException("The rest of the request had failed.", givenUp);

namespace Fpn.Serving.Requests;

/// <summary>The service ended before the request had its turn.</summary>
internal sealed class ShuttingDownException() : Exception("The service is shutting down.");

namespace Fpn.Serving.Requests;

/// <summary>Those of gRPC's status codes that failures map to, and problems of the door.</summary>
/// <remarks>Source: gRPC's list of status codes (<c>google.rpc.Code</c>).</remarks>
internal enum GrpcStatus
{
    /// <summary>The caller does not want the answer any more.</summary>
    Cancelled = 1,

    /// <summary>The request is wrong, whatever the state of the service.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed.</summary>
    DeadlineExceeded = 4,

    /// <summary>There is no such model.</summary>
    NotFound = 5,

    /// <summary>The caller may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>The caller has used up what it may.</summary>
    ResourceExhausted = 8,

    /// <summary>There is no such method.</summary>
    Unimplemented = 12,

    /// <summary>Something that should hold does not.</summary>
    Internal = 13,

    /// <summary>The service cannot answer now; a retry may succeed.</summary>
    Unavailable = 14,

    /// <summary>The caller did not say who it is, or not believably.</summary>
    Unauthenticated = 16,
}

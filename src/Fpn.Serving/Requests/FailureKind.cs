namespace Fpn.Serving.Requests;

/// <summary>Why a request was not answered. <see cref="DetectionFailure"/> says what follows from each.</summary>
public enum FailureKind
{
    /// <summary>The bytes are not an image in a format that is served.</summary>
    UnsupportedFormat,

    /// <summary>The image has more pixels than allowed.</summary>
    TooManyPixels,

    /// <summary>The image is cut off, corrupt or zero-sized.</summary>
    Undecodable,

    /// <summary>The queue is full.</summary>
    QueueFull,

    /// <summary>The deadline passed, or cannot be met.</summary>
    DeadlinePassed,

    /// <summary>The process began to end before the request had its turn.</summary>
    ShuttingDown,

    /// <summary>The device failed; the model is being loaded again.</summary>
    DeviceLost,

    /// <summary>The request asks for an explanation, which the model cannot give.</summary>
    NotExplainable,

    /// <summary>A graph failed, or gave outputs of other shapes than its manifest promises.</summary>
    ModelFailure,

    /// <summary>The model gave NaN or infinity.</summary>
    NonFiniteOutput,

    /// <summary>The caller gave the image up because the rest of its request had failed.</summary>
    GivenUp,

    /// <summary>No model of that name is served.</summary>
    UnknownModel,

    /// <summary>The image would be looked at in more views than allowed.</summary>
    TooManyViews,

    /// <summary>The request asks for scales, and the model resizes images itself.</summary>
    NotScalable,

    /// <summary>The request asks one stage alone, and the model decides inside its graph.</summary>
    NotTwoStage,
}

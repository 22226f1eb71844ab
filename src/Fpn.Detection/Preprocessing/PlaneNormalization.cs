using Fpn.Detection.Conventions;

namespace Fpn.Detection.Preprocessing;

/// <summary>How the bytes of one source channel become one plane of the input tensor.</summary>
/// <param name="Channel">Offset of the channel in an RGB pixel: 0, 1 or 2.</param>
/// <param name="Multiplier">scale / std.</param>
/// <param name="Offset">−mean / std; added after the multiplication.</param>
internal readonly record struct PlaneNormalization(int Channel, float Multiplier, float Offset)
{
    /// <summary>Makes the three planes in the model's order.</summary>
    /// <exception cref="ArgumentException">Mean or std has not three finite values, a std is 0, the scale is not
    /// finite, or a pixel would become infinite.</exception>
    internal static PlaneNormalization[] FromOptions(InputOptions options)
    {
        if (options.Mean.Count != 3 || options.Std.Count != 3)
        {
            throw new ArgumentException("Mean and std must have three values each.", nameof(options));
        }

        var planes = new PlaneNormalization[3];
        for (var plane = 0; plane < 3; plane++)
        {
            // In double, so that the folded pair is off by one rounding each and not by three.
            var std = (double)options.Std[plane];
            var multiplier = (float)(options.Scale / std);
            var offset = (float)(-options.Mean[plane] / std);
            // Of the brightest pixel, too, so that no value is infinite and none becomes NaN when two are blended.
            if (!float.IsFinite(offset) || !float.IsFinite(256 * multiplier + offset))
            {
                throw new ArgumentException(
                    "Scale, mean, std and the values made with them must be finite, and std must not be 0.",
                    nameof(options));
            }

            planes[plane] = new PlaneNormalization(
                options.ColorOrder == ColorOrder.Rgb ? plane : 2 - plane, multiplier, offset);
        }

        return planes;
    }
}

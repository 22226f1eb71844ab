using Fpn.Detection.Geometry;
using Fpn.Imaging.Headers;

namespace Fpn.Imaging.Decoding;

/// <summary>How a picture is reduced: from which page, and how far.</summary>
/// <param name="Page">The page to decode.</param>
/// <param name="Block">H × W of the block of the page that becomes one pixel; a square, except where the page is
/// narrower.</param>
/// <param name="Size">H × W of the result, as stored.</param>
internal readonly record struct ReductionPlan(TiledPage Page, ImageSize Block, ImageSize Size)
{
    /// <summary>Chooses the smallest page that gives at least half of the pixels allowed. Where no page does, because
    /// all are too small or their whole numbers fall badly, the one that gives the most.</summary>
    /// <param name="pages">The picture, then its smaller sizes; at least one.</param>
    /// <param name="maxPixels">The most pixels of the result, at least 1; beyond what a picture decoded whole may have,
    /// that number counts.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is less than 1.</exception>
    internal static ReductionPlan Choose(IReadOnlyList<TiledPage> pages, long maxPixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        var most = Math.Min(maxPixels, ImageDecoder.MostWholePixels);
        var best = Reduce(pages[0], most);
        foreach (var page in pages.Skip(1))
        {
            var plan = Reduce(page, most);
            if (plan.Size.Area * 2 >= most ? IsCheaper(plan, best, most) : plan.Size.Area > best.Size.Area)
            {
                best = plan;
            }
        }

        return best;
    }

    private static bool IsCheaper(ReductionPlan plan, ReductionPlan best, long most) =>
        best.Size.Area * 2 < most || plan.Page.Size.Area < best.Page.Size.Area;

    /// <summary>Finds the smallest number that a page must be divided by.</summary>
    private static ReductionPlan Reduce(TiledPage page, long most)
    {
        var side = Math.Max(1, (int)Math.Sqrt(page.Size.Area / (double)most));
        while (true)
        {
            var block = new ImageSize(Math.Min(side, page.Size.Height), Math.Min(side, page.Size.Width));
            var size = new ImageSize(Divide(page.Size.Height, block.Height), Divide(page.Size.Width, block.Width));
            if (size.Area <= most)
            {
                return new ReductionPlan(page, block, size);
            }

            side++;
        }
    }

    /// <summary>Divides, rounded to the nearest as libvips does.</summary>
    private static int Divide(int length, int by) => (int)((length * 2L + by) / (by * 2L));
}

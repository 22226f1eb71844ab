using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using Fpn.Imaging.Painting;

namespace Fpn.Service.Formats;

/// <summary>Sends a drawn picture and frees it.</summary>
/// <param name="picture">The picture; owned.</param>
/// <param name="mediaType">Its media type.</param>
internal sealed class PictureResult(EncodedPicture picture, string mediaType) : IResult
{
    /// <summary>Bytes in a piece: a multiple of 3, so that base64 needs no padding between pieces.</summary>
    private const int Piece = 12 << 10;

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using (picture)
        {
            var response = httpContext.Response;
            response.ContentType = mediaType;
            response.ContentLength = picture.Bytes.Length;
            for (var at = 0; at < picture.Bytes.Length; at += Piece)
            {
                response.BodyWriter.Write(picture.Bytes[at..Math.Min(at + Piece, picture.Bytes.Length)]);
                await response.BodyWriter.FlushAsync(httpContext.RequestAborted);
            }
        }
    }

    /// <summary>Writes a picture as a JSON string that holds a data URI, piece by piece.</summary>
    public static async Task WriteDataUriAsync(
        EncodedPicture picture, string mediaType, PipeWriter output, CancellationToken cancellationToken)
    {
        output.Write("\"data:"u8);
        output.Write(System.Text.Encoding.ASCII.GetBytes(mediaType));
        output.Write(";base64,"u8);
        for (var at = 0; at < picture.Bytes.Length; at += Piece)
        {
            WritePiece(picture.Bytes[at..Math.Min(at + Piece, picture.Bytes.Length)], output);
            await output.FlushAsync(cancellationToken);
        }

        output.Write("\""u8);
    }

    private static void WritePiece(ReadOnlySpan<byte> bytes, PipeWriter output)
    {
        Base64.EncodeToUtf8(
            bytes, output.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        output.Advance(written);
    }
}

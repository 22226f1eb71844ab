using Fpn.Serving;
using Fpn.Serving.Requests;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddFpnDetection(options =>
{
    options.ModelsFolder = builder.Configuration["Models"] ?? "models";
    options.DefaultModel = builder.Configuration["Model"] ?? "everyday";
});
var app = builder.Build();

// How many objects of each class are in a picture: curl --data-binary @street.jpg http://localhost:5000/count
app.MapPost("/count", async (HttpRequest http, IDetectionQueue queue) =>
{
    var cancellation = http.HttpContext.RequestAborted;
    using var image = new MemoryStream();
    await http.Body.CopyToAsync(image, cancellation);
    var answer = await queue.DetectAsync(new DetectionRequest(image.ToArray()) { Cancellation = cancellation });
    return answer.Succeeded
        ? Results.Ok(answer.Value.Objects.Where(item => item.Score >= 0.5).CountBy(item => item.Label).ToDictionary())
        : Results.Problem(answer.Failure.Detail, statusCode: answer.Failure.HttpStatus);
});
app.Run();

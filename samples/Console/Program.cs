using Fpn.Models;

// dotnet run -- MODEL-PACKAGE IMAGE
using var detector = Detector.Load(args[0]);
using var image = File.OpenRead(args[1]);
try
{
    foreach (var found in detector.Detect(image).Objects)
    {
        Console.WriteLine(
            $"{found.Label} {found.Score:F5} {found.Box.X1:F1} {found.Box.Y1:F1} {found.Box.X2:F1} {found.Box.Y2:F1}");
    }
}
catch (ImageRejectedException rejection)
{
    Console.Error.WriteLine(rejection.Message);
    Environment.Exit(1);
}

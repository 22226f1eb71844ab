using Fpn.Service.Connections;
using Fpn.Service.Engine;
using Fpn.Settings;
using Fpn.Tool.Commands;

namespace Fpn.Service.Lifetime;

/// <summary>Runs the service from its start to its end.</summary>
internal static class ServiceRun
{
    /// <summary>Starts the service and waits until it has shut down.</summary>
    /// <param name="args">The command line: settings only.</param>
    /// <param name="add">Registers services and sections of settings.</param>
    /// <param name="use">Builds the pipeline and maps the endpoints.</param>
    /// <returns>The exit status: 0; 1 when the service cannot start, whose reason is printed in one line.</returns>
    public static async Task<int> RunAsync(
        string[] args, Action<WebApplicationBuilder, SettingsCatalogue> add, Action<WebApplication> use)
    {
        var started = false;
        try
        {
            var builder = WebApplication.CreateBuilder(args);
            var settings = new SettingsCatalogue(builder.Configuration, builder.Services);
            add(builder, settings);
            settings.RefuseUnknown();

            // Before models are loaded, which may take minutes.
            await AddressTrial.RunAsync(builder.Configuration);
            await using var app = builder.Build();
            use(app);

            // Before the port opens.
            await app.LoadEngineAsync();
            await app.StartAsync();
            started = true;
            await app.WaitForShutdownAsync();
            return 0;
        }
#pragma warning disable CA1031 // A person reads the reason, whatever it is: one line, and no dump.
        catch (Exception exception) when (!started)
#pragma warning restore CA1031
        {
            await Console.Error.WriteLineAsync($"Fpn.Service cannot start: {StartFailure.Describe(exception)}");
            return 1;
        }
    }
}

using BenchmarkDotNet.Running;
using Fpn.Benchmarks.Load;

namespace Fpn.Benchmarks;

internal static class BenchmarkProgram
{
    private static async Task Main(string[] args)
    {
        if (args is ["load", .. var rest])
        {
            await LoadCommand.RunAsync(rest);
            return;
        }

        BenchmarkSwitcher.FromAssembly(typeof(BenchmarkProgram).Assembly).Run(args);
    }
}

using BenchmarkDotNet.Running;
using Fpn.Benchmarks.Gpu;
using Fpn.Benchmarks.Load;

namespace Fpn.Benchmarks;

internal static class BenchmarkProgram
{
    private static async Task<int> Main(string[] args)
    {
        if (args is ["load", .. var rest])
        {
            await LoadCommand.RunAsync(rest);
            return 0;
        }

        if (args is ["gpu", .. var options])
        {
            return await GpuCommand.RunAsync(options);
        }

        BenchmarkSwitcher.FromAssembly(typeof(BenchmarkProgram).Assembly).Run(args);
        return 0;
    }
}

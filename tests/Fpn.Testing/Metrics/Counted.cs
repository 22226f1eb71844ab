using System.Diagnostics.Metrics;

namespace Fpn.Testing.Metrics;

/// <summary>Listens to one counter of the meters that a test made, and to no other test's.</summary>
internal static class Counted
{
    /// <summary>Begins to listen.</summary>
    /// <param name="meters">Made the counter's meter.</param>
    /// <param name="name">Name of the counter.</param>
    /// <param name="record">Receives every measurement, on the thread that makes it.</param>
    /// <returns>To be disposed at the end.</returns>
    public static MeterListener Listen(IMeterFactory meters, string name, MeasurementCallback<long> record)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == name)
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback(record);
        listener.Start();
        return listener;
    }
}

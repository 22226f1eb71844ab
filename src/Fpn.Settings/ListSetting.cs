namespace Fpn.Settings;

/// <summary>Settings that hold several values.</summary>
internal static class ListSetting
{
    /// <summary>Splits a list at its commas; blanks around the items and empty items are left out.</summary>
    public static string[] Items(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

using System.Text.Json;
namespace Hone;
internal static partial class CompactSchemas { public static string Write(FieldType type) => TypeNames.Of(type); }
internal static partial class JsonSchemas { public static bool TryStrict(Signature signature, out JsonElement schema) { schema = default; return false; } }

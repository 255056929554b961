// JSON: whatever parses is written as text that parses to the same text again, on one line and
// indented, and every read of a member ends.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/result.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::wire::json {
namespace {

// Small, so that the fuzzer reaches it.
constexpr size_t kMaxBytes = 2048;

void Fuzz(std::string_view input) {
  Result<Value> value = Parse(input, kMaxBytes);
  if (!value) return;
  std::string text = ToText(*value);
  Result<Value> again = Parse(text);
  CHECK(again && ToText(*again) == text);
  Writer writer({.indent = 2});
  writer.Element(*value);
  Result<Value> indented = Parse(writer.Take());
  CHECK(indented && ToText(*indented) == text);
  for (const Member& member : value->members()) CHECK(value->Find(member.name) != nullptr);
}

}  // namespace
}  // namespace meridian::wire::json

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::wire::json::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}

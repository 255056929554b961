// Structured fields: whatever parses can be written, and what was written parses to the same value
// again. The first byte chooses item, list or dictionary.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/http/fields/structured_field.hpp"
#include "wire/http/limits.hpp"

namespace meridian::wire::http {
namespace {

template <class Parse, class Serialize>
void Fuzz(std::string_view input, Parse parse, Serialize serialize) {
  auto value = parse(input);
  if (!value) return;
  auto written = serialize(*value);
  CHECK(written.has_value());
  // The canonical form may be longer than what came (padding, spaces behind commas).
  if (written->size() > kMaxStructuredFieldBytes) return;
  auto again = parse(*written);
  CHECK(again.has_value() && *again == *value);
  CHECK(serialize(*again) == written);
}

void FuzzOne(std::string_view input, uint8_t kind) {
  switch (kind % 3) {
    case 0:
      Fuzz(input, ParseStructuredItem, SerializeItem);
      break;
    case 1:
      Fuzz(input, ParseStructuredList, SerializeList);
      break;
    default:
      Fuzz(input, ParseDictionary, SerializeDictionary);
  }
}

}  // namespace
}  // namespace meridian::wire::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  meridian::wire::http::FuzzOne(input, data[0]);
  return 0;
}

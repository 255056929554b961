// Range fields: whatever is asked, the parts lie within the representation, hold no byte twice and
// are no more than the limit. The first byte chooses the representation's length.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "wire/http/fields/byte_range.hpp"
#include "wire/http/limits.hpp"

namespace meridian::wire::http {
namespace {

void Fuzz(std::string_view value, uint64_t length) {
  RangeOutcome outcome = ResolveRange(value, length);
  CHECK((outcome.kind == RangeOutcome::Kind::kParts) == (outcome.count > 0));
  CHECK(outcome.count <= kMaxByteRanges);
  uint64_t bytes = 0;
  for (const ByteRange& part : outcome.parts()) {
    CHECK(part.first <= part.last && part.last < length);
    bytes += part.size();
  }
  CHECK(bytes <= length);
  for (size_t a = 0; a < outcome.count; ++a) {
    for (size_t b = a + 1; b < outcome.count; ++b) {
      CHECK(outcome.ranges[a].last < outcome.ranges[b].first ||
            outcome.ranges[b].last < outcome.ranges[a].first);
    }
  }
}

}  // namespace
}  // namespace meridian::wire::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  uint64_t length = data[0] < 250 ? data[0] : ~uint64_t{0} >> (data[0] - 250);
  std::string_view value(reinterpret_cast<const char*>(data) + 1, size - 1);
  meridian::wire::http::Fuzz(value, length);
  return 0;
}

// Prometheus text: whatever is read keeps to the limits, and has names and labels that can be read
// again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "wire/prom/limits.hpp"
#include "wire/prom/text_reader.hpp"

namespace meridian::wire::prom {
namespace {

void Fuzz(std::string_view input) {
  auto samples = ReadText(input);
  if (!samples) return;
  for (const Sample& sample : *samples) {
    CHECK(!sample.name.empty() && sample.name.size() <= kMaxNameBytes);
    CHECK(sample.labels.size() <= kMaxLabels);
    for (const Label& label : sample.labels) {
      CHECK(sample.LabelOf(label.name) == label.value);
      CHECK(label.value.size() <= kMaxLabelValueBytes);
    }
  }
}

}  // namespace
}  // namespace meridian::wire::prom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::wire::prom::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}

// The limits of the reader of Prometheus texts. Past one of them a text is refused.
#pragma once

#include <cstddef>

namespace meridian::wire::prom {

constexpr size_t kMaxTextBytes = size_t{16} * 1024 * 1024;
constexpr size_t kMaxSamples = 200'000;
constexpr size_t kMaxLabels = 32;             // of a sample
constexpr size_t kMaxNameBytes = 256;         // of a metric or a label
constexpr size_t kMaxLabelValueBytes = 4096;  // after its escapes are read

}  // namespace meridian::wire::prom

// Reads the Prometheus text format 0.0.4, which /metrics of any process has:
// https://prometheus.io/docs/instrumenting/exposition_formats/
// Strict: the first line that is wrong is the error. Comments (HELP, TYPE) and the times of samples
// are skipped. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meridian::wire::prom {

struct Label {
  std::string name;
  std::string value;
};

struct Sample {
  std::string name;  // with _bucket, _sum, _count or _total, as it is in the text
  std::vector<Label> labels;
  double value = 0;  // may be NaN or infinite

  // The value of a label; empty where the sample does not have it, as PromQL has it.
  std::string_view LabelOf(std::string_view label) const;
};

// The samples in the order of the text. kInvalid: a line is wrong (its number and reason are in
// the message). kTooLarge: a limit of limits.hpp.
Result<std::vector<Sample>> ReadText(std::string_view text);

}  // namespace meridian::wire::prom

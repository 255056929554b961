// Silences as `meridian alerts silences` prints them, and the texts by which it and its siblings
// name them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/alerts/alert_list.hpp"
#include "cli/alerts/silence_answer.hpp"

namespace meridian::cli {

struct DataCenterSilences {
  std::string data_center;
  std::vector<Silence> silences;
};

// A name that Prometheus gives to an alert: letters, digits and _, no digit first.
bool IsAlertName(std::string_view text);
// An id that is safe in a path: letters, digits and dashes.
bool IsSilenceId(std::string_view text);

// A line for each; without one a line that says so. Empty: no data center answered.
std::string SilencesText(const std::vector<DataCenterSilences>& all);

// {"silences":[…],"missing":[…]}, indented, with a newline.
std::string SilencesJson(const std::vector<DataCenterSilences>& all,
                         const std::vector<AlertGap>& gaps);

}  // namespace meridian::cli

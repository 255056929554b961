// The alerts as `meridian alerts` prints them. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "cli/alerts/alert_list.hpp"

namespace meridian::wire::json {
class Writer;
}

namespace meridian::cli {

struct AlertTextOptions {
  WallTime now;
  bool colours = false;            // for a terminal
  std::vector<std::string> asked;  // data centers
};

// For each alert four lines or less: state, severity, name, who sees it and since when; its
// summary, its likely cause, its runbook. Without an alert one line that says so.
std::string AlertText(const AlertList& list, const AlertTextOptions& options);

// {"alerts":[…],"missing":[…]}, indented, with a newline.
std::string AlertJson(const AlertList& list);

// The member "missing": [{"datacenter": …, "problem": …}, …].
void AppendGaps(wire::json::Writer& writer, const std::vector<AlertGap>& gaps);

}  // namespace meridian::cli

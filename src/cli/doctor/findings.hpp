// What is wrong with a machine or a site, from the facts: each finding has its reason and its mend.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/doctor/facts.hpp"

namespace meridian::cli {

enum class Severity : uint8_t {
  kError,    // something fails already, or soon
  kWarning,  // it works, but worse or with less reserve than it should
};

std::string_view SeverityName(Severity severity);

struct Finding {
  Severity severity = Severity::kWarning;
  std::string_view subject;  // "clock", "disk", …: the same word for the same finding
  std::string problem;       // one sentence without a full stop
  std::string mend;          // a command or a sentence, without a full stop
};

// Errors first; else in the order of the subjects.
std::vector<Finding> FindProblems(const DoctorFacts& facts);

// The parts of FindProblems.
std::vector<Finding> MachineFindings(const MachineFacts& machine);
std::vector<Finding> NeedFindings(const NeedFacts& needs, const MachineFacts& machine);
std::vector<Finding> SiteFindings(const SiteFacts& site);

// What could not be looked at, and why, for people: without it, a list of findings would look
// complete.
std::vector<std::string> Unchecked(const DoctorFacts& facts);

}  // namespace meridian::cli

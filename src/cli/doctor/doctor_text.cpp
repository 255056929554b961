#include "cli/doctor/doctor_text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <fmt/format.h>

#include "cli/doctor/facts.hpp"
#include "cli/doctor/findings.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

size_t CountOf(const Diagnosis& diagnosis, Severity severity) {
  return static_cast<size_t>(std::ranges::count(diagnosis.findings, severity, &Finding::severity));
}

// "1 error", "2 errors"
std::string Counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// " and the site photos (us-east, us-west here)"
std::string SiteText(const SiteFacts& site) {
  std::string text = " and the site " + site.name;
  if (site.hosted.empty()) return text;
  return text + fmt::format(" ({} here)", fmt::join(site.hosted, ", "));
}

std::string Painted(Severity severity, bool color) {
  const std::string_view name = SeverityName(severity);
  if (!color) return std::string(name);
  return fmt::format("\x1b[{}m{}\x1b[0m", severity == Severity::kError ? 31 : 33, name);
}

}  // namespace

Diagnosis Diagnose(const DoctorFacts& facts) {
  return {.findings = FindProblems(facts), .unchecked = Unchecked(facts)};
}

bool HasErrors(const Diagnosis& diagnosis) { return CountOf(diagnosis, Severity::kError) > 0; }

std::string DoctorText(const DoctorFacts& facts, const Diagnosis& diagnosis, bool color) {
  std::string text =
      fmt::format("This machine{}, with the state directory {}\n",
                  facts.site ? SiteText(*facts.site) : "", facts.machine.state_directory);
  for (const Finding& each : diagnosis.findings) {
    text += fmt::format("\n{}: {}: {}.\n  Mend: {}.\n", Painted(each.severity, color), each.subject,
                        each.problem, each.mend);
  }
  if (!diagnosis.unchecked.empty()) text += "\nNot checked:\n";
  for (const std::string& each : diagnosis.unchecked) text += fmt::format("  {}\n", each);
  const size_t errors = CountOf(diagnosis, Severity::kError);
  const size_t warnings = CountOf(diagnosis, Severity::kWarning);
  if (errors + warnings == 0) return text + "\nNothing wrong was found.\n";
  return text + fmt::format("\n{}, {}.\n", Counted(errors, "error"), Counted(warnings, "warning"));
}

std::string DoctorJson(const DoctorFacts& facts, const Diagnosis& diagnosis) {
  constexpr size_t kIndent = 2;
  wire::json::Writer writer({.indent = kIndent});
  writer.BeginObject();
  if (facts.site) {
    writer.Member("site", facts.site->name);
  } else {
    writer.Member("site", nullptr);
  }
  writer.Member("state", facts.machine.state_directory);
  writer.Member("errors", CountOf(diagnosis, Severity::kError));
  writer.Member("warnings", CountOf(diagnosis, Severity::kWarning));
  writer.BeginArray("findings");
  for (const Finding& each : diagnosis.findings) {
    writer.BeginObject();
    writer.Member("severity", SeverityName(each.severity));
    writer.Member("subject", each.subject);
    writer.Member("problem", each.problem);
    writer.Member("mend", each.mend);
    writer.EndObject();
  }
  writer.EndArray();
  writer.BeginArray("unchecked");
  for (const std::string& each : diagnosis.unchecked) writer.Element(each);
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::cli

// meridian site-reference: prints docs/site.toml.md. For developers, so not in the help.
#include "cli/report/site_reference.hpp"

#include <cstdio>
#include <string>

#include <fmt/core.h>

#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "site/load/reference.hpp"

namespace meridian::cli {

void AddSiteReference(Command& program) {
  Command& command =
      program.AddCommand("site-reference", "Print the reference of site.toml (docs/site.toml.md)");
  command.hidden = true;
  command.action = [] {
    site::Reference reference = site::Describe(AllTiers());
    for (const std::string& problem : reference.problems) fmt::print(stderr, "{}\n", problem);
    if (!reference.problems.empty()) return kFailed;
    fmt::print("{}", SiteReferencePage(reference));
    return kDone;
  };
}

}  // namespace meridian::cli

// meridian: the composition root. Each subcommand stands in a file of its own.
#include <csignal>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "cli/command_line.hpp"
#include "io/descriptors.hpp"

namespace meridian::cli {
namespace {

// CLI11 says that a subcommand is missing when the word for it is none. Empty: that is not it.
std::string WordThatIsNoSubcommand(const CLI::App& app) {
  const CLI::App* deepest = &app;
  while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().front();
  if (deepest->get_require_subcommand_min() == 0) return "";
  for (const std::string& word : deepest->remaining()) {
    if (!word.starts_with('-')) return word;
  }
  return "";
}

int Main(int argc, char** argv) {
  // A peer that is gone is an error of the write, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  io::RaiseDescriptorLimit();

  CLI::App app(
      "Meridian turns a stateless HTTP application into a service in several data centers.",
      "meridian");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  Action action;
  AddUp(app, action);
  AddDown(app, action);
  AddStatus(app, action);
  AddDataCenter(app, action);
  AddInstance(app, action);
  AddLink(app, action);
  AddPurge(app, action);
  AddCdn(app, action);
  AddVisit(app, action);
  AddCheck(app, action);
  AddCa(app, action);
  AddRun(app, action);
  AddTiers(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (std::string word = WordThatIsNoSubcommand(app); !word.empty()) {
      fmt::print(stderr, "meridian: there is no subcommand \"{}\". --help lists them\n", word);
      return kMisused;
    }
    return app.exit(error) == 0 ? kDone : kMisused;
  }
  return action();
}

}  // namespace
}  // namespace meridian::cli

int main(int argc, char** argv) { return meridian::cli::Main(argc, argv); }

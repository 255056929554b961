// meridian: the composition root. Each subcommand stands in a file of its own.
#include <csignal>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/command_line.hpp"

namespace meridian::cli {
namespace {

int Main(int argc, char** argv) {
  // A peer that is gone is an error of the write, not a signal.
  std::signal(SIGPIPE, SIG_IGN);

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
  AddVisit(app, action);
  AddCheck(app, action);
  AddRun(app, action);
  AddTiers(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kMisused;
  }
  return action();
}

}  // namespace
}  // namespace meridian::cli

int main(int argc, char** argv) { return meridian::cli::Main(argc, argv); }

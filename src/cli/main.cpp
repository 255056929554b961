// meridian: the composition root. Each subcommand has a file of its own.
#include <csignal>

#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/doctor/doctor.hpp"
#include "cli/top/top.hpp"
#include "io/descriptors.hpp"

namespace meridian::cli {
namespace {

constexpr int kHelpColumn = 34;

int Main(int argc, char** argv) {
  // Makes a write to a closed connection fail with an error instead of a signal.
  std::signal(SIGPIPE, SIG_IGN);
  io::RaiseDescriptorLimit();

  Command program(
      "meridian",
      "Meridian turns a stateless HTTP application into a service in several data centers.");
  program.version = MERIDIAN_VERSION;
  program.subcommands_given = {.min = 1, .max = 1};
  AddUp(program);
  AddDown(program);
  AddStatus(program);
  AddTop(program);
  AddDataCenter(program);
  AddInstance(program);
  AddLink(program);
  AddPurge(program);
  AddCdn(program);
  AddLogs(program);
  AddVisit(program);
  AddCheck(program);
  AddDoctor(program);
  AddCa(program);
  AddRun(program);
  AddTiers(program);
  AddCompletion(program);
  AddSiteReference(program);
  return RunCommandLine(program, kHelpColumn, argc, argv);
}

}  // namespace
}  // namespace meridian::cli

int main(int argc, char** argv) { return meridian::cli::Main(argc, argv); }

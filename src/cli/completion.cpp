// meridian completion SHELL: prints the shell's completion script.
#include "cli/command/completion.hpp"

#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "cli/command/command.hpp"
#include "cli/command_line.hpp"

namespace meridian::cli {

void AddCompletion(Command& program) {
  auto shell = std::make_shared<std::string>();
  Command& command = program.AddCommand("completion", "Print a shell's completion script");
  command.AddOption({.name = "shell",
                     .value = shell.get(),
                     .help = "bash, zsh or fish",
                     .type = "SHELL",
                     .required = true,
                     .one_of = {std::begin(kShells), std::end(kShells)}});
  command.footer =
      "bash: source <(meridian completion bash)\n"
      "zsh:  source <(meridian completion zsh)     after compinit\n"
      "fish: meridian completion fish | source";
  const std::string& name = program.name;
  command.action = [shell, name] {
    fmt::print("{}", CompletionScript(*shell, name));
    return kDone;
  };

  auto words = std::make_shared<std::vector<std::string>>();
  Command& complete = program.AddCommand(std::string(kCompleteCommand), "For those scripts");
  complete.hidden = true;
  complete.AddOption({.name = "words", .value = words.get(), .help = "The words so far"});
  complete.action = [words, &program] {
    for (const std::string& each : Completions(program, *words)) fmt::print("{}\n", each);
    return kDone;
  };
}

}  // namespace meridian::cli

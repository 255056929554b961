// A program's command line: its commands, their options and actions. A program describes its
// commands once, before RunCommandLine, on one thread. CLI11 parses the command line; only
// command.cpp includes it, because each including unit takes seconds longer to compile.
//
// Invariants: commands and options keep their addresses. The target of `value` must outlive the
// command's action.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace meridian::cli {

// An option (`--state DIR`), a flag (`--json`: a bool) or a positional argument (a name without
// dashes). Without the option the value does not change.
struct Option {
  struct Range {
    uint64_t min;
    uint64_t max;
  };
  struct Count {
    int min;
    int max;
  };

  std::string name;
  std::variant<bool*, int*, uint64_t*, std::string*, std::vector<std::string>*> value;
  std::string help;
  std::string type;  // name of the value in the help, such as FILE; empty: by the type of `value`
  std::string short_name;  // a second name, such as -f; empty: none
  bool required = false;
  bool hidden = false;                  // not in the help
  std::string default_text;             // shown as the default, unless empty
  std::optional<char> separator;        // between several values in one word
  std::optional<Count> count;           // number of words that it takes
  std::optional<Range> range;           // allowed numbers
  std::vector<std::string> one_of;      // allowed texts, unless empty
  std::vector<const Option*> needs;     // options that must be given too
  std::vector<const Option*> excludes;  // options that must not be given too
};

// Options of which exactly one must be given.
struct OptionGroup {
  std::string name;
  std::vector<const Option*> options;
};

struct Command {
  struct Subcommands {
    size_t min;
    size_t max;
  };

  Command(std::string command_name, std::string command_summary);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  Option& AddOption(Option option);
  Command& AddCommand(std::string command_name, std::string command_summary);

  std::string name;
  std::string summary;
  std::string version;  // of a program: what --version prints after its name, unless empty
  std::string footer;   // the last paragraph of the help
  bool hidden = false;  // not in the help
  // The number of subcommands that may be given; unset: subcommands are optional.
  std::optional<Subcommands> subcommands_given;
  // Runs if this command is given without a subcommand. Returns the exit status.
  std::function<int()> action;

  std::list<Option> options;
  std::list<OptionGroup> option_groups;
  std::list<Command> subcommands;
};

// Exit statuses after printing the help, and after a wrong command line.
constexpr int kHelpGiven = 0;
constexpr int kMisused = 2;

// Parses the command line and runs the action of its command. Prints the help to standard output,
// and errors to standard error. The descriptions in the help begin at `help_column`.
int RunCommandLine(const Command& program, int help_column, int argc, char** argv);

}  // namespace meridian::cli

// A program's command line: its commands, their options, and what each command does. A program
// describes its commands once, before RunCommandLine, on one thread. CLI11 does the parsing; only
// command.cpp includes it, because each unit that does costs seconds to compile.
//
// Invariants: commands and options keep their addresses. What `value` points to must live as long
// as the command's action.
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
// dashes). The value stays as it was when the option is not given.
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
  std::string type;  // what the help calls the value, such as FILE; empty: by the type of `value`
  bool required = false;
  bool hidden = false;                  // not in the help
  std::string default_text;             // shown as the default, unless empty
  std::optional<char> separator;        // between several values in one word
  std::optional<Count> count;           // how many words it takes
  std::optional<Range> range;           // what a number may be
  std::vector<std::string> one_of;      // what a text may be, unless empty
  std::vector<const Option*> needs;     // options that must be given too
  std::vector<const Option*> excludes;  // options that must not be given too
};

// Of these options, exactly one must be given.
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
  // How many subcommands may be given; without it, subcommands are optional.
  std::optional<Subcommands> subcommands_given;
  // Runs when this command is given, and none of its subcommands. Gives the exit status.
  std::function<int()> action;

  std::list<Option> options;
  std::list<OptionGroup> option_groups;
  std::list<Command> subcommands;
};

// Exit statuses of a command line that asks for help, and of one that is wrong.
constexpr int kHelpGiven = 0;
constexpr int kMisused = 2;

// Parses the command line and runs the action of the command that it gives. Prints the help to
// standard output, and what is wrong to standard error. The descriptions in the help begin at
// `help_column`.
int RunCommandLine(const Command& program, int help_column, int argc, char** argv);

}  // namespace meridian::cli

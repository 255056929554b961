#include "cli/command/command.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/format.h>

#include "cli/command/help.hpp"
#include "site/load/spelling.hpp"

namespace meridian::cli {
namespace {

using ParsedOptions = std::map<const Option*, CLI::Option*>;

// ", did you mean …?", or nothing.
std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> nearest = site::Nearest(word, candidates);
  return nearest ? fmt::format("; did you mean {}?", *nearest) : "";
}

CLI::Validator OneOf(const std::vector<std::string>& words) {
  auto check = [words](const std::string& word) {
    if (std::ranges::find(words, word) != words.end()) return std::string();
    return fmt::format("\"{}\" is none of {}{}", word, fmt::join(words, ", "),
                       Suggestion(word, words));
  };
  return {check, ""};
}

CLI::Option* Declare(const Option& option, CLI::App& parser) {
  const std::string names =
      option.short_name.empty() ? option.name : option.short_name + "," + option.name;
  auto add = [&](auto* value) {
    if constexpr (std::is_same_v<decltype(value), bool*>) {
      return parser.add_flag(names, *value, option.help);
    } else {
      return parser.add_option(names, *value, option.help);
    }
  };
  CLI::Option* declared = std::visit(add, option.value);
  if (option.required) declared->required();
  if (option.separator) {
    declared->delimiter(*option.separator);
    // `--roles dns,edge site.toml`: the next word is not one of its values.
    declared->allow_extra_args(false);
  }
  if (option.count) declared->expected(option.count->min, option.count->max);
  if (option.range) declared->check(CLI::Range(option.range->min, option.range->max));
  if (!option.one_of.empty()) declared->check(OneOf(option.one_of));
  return declared;
}

void DeclareOptions(const Command& command, CLI::App& parser) {
  ParsedOptions declared;
  for (const Option& option : command.options) declared[&option] = Declare(option, parser);
  for (const Option& option : command.options) {
    for (const Option* other : option.needs) declared.at(&option)->needs(declared.at(other));
    for (const Option* other : option.excludes) declared.at(&option)->excludes(declared.at(other));
  }
}

void Declare(const Command& command, CLI::App& parser) {  // NOLINT(misc-no-recursion): few levels
  // A subcommand inherits the maximum of its parent command.
  if (command.subcommands_given) {
    parser.require_subcommand(command.subcommands_given->min, command.subcommands_given->max);
  }
  DeclareOptions(command, parser);
  for (const Command& subcommand : command.subcommands) {
    Declare(subcommand, *parser.add_subcommand(subcommand.name, subcommand.summary));
  }
}

struct Given {
  const Command* command;
  const CLI::App* parser;
  std::string path;
};

// The last command of the command line: `report` of `meridian cdn report`.
Given LastGiven(const Command& program, const CLI::App& parser) {
  Given given{.command = &program, .parser = &parser, .path = program.name};
  while (!given.parser->get_subcommands().empty()) {
    given.parser = given.parser->get_subcommands().front();
    given.command =
        &*std::ranges::find(given.command->subcommands, given.parser->get_name(), &Command::name);
    given.path += " " + given.command->name;
  }
  return given;
}

std::vector<std::string> SubcommandNames(const Command& command) {
  std::vector<std::string> names;
  for (const Command& subcommand : command.subcommands) {
    if (!subcommand.hidden) names.push_back(subcommand.name);
  }
  return names;
}

std::vector<std::string> OptionNames(const Command& command) {
  std::vector<std::string> names = {"--help"};
  if (!command.version.empty()) names.emplace_back("--version");
  for (const Option& option : command.options) {
    if (!option.hidden && option.name.starts_with('-')) names.push_back(option.name);
  }
  return names;
}

// The error for a word that no command takes.
std::string Unexpected(const Given& last, const std::string& word) {
  if (word.starts_with('-')) {
    std::string name = word.substr(0, word.find('='));
    return fmt::format("there is no option {}{}", name,
                       Suggestion(name, OptionNames(*last.command)));
  }
  if (last.command->subcommands.empty()) return fmt::format("\"{}\" is one word too many", word);
  return fmt::format("there is no subcommand \"{}\"{}", word,
                     Suggestion(word, SubcommandNames(*last.command)));
}

// The error if not exactly one option of a group is given.
std::string GroupProblem(const Given& last) {
  for (const OptionGroup& group : last.command->option_groups) {
    std::vector<std::string> names;
    size_t given = 0;
    for (const Option* option : group.options) {
      names.push_back(option->name);
      if (last.parser->get_option(option->name)->count() > 0) ++given;
    }
    if (given != 1) return fmt::format("give exactly one of {}", fmt::join(names, ", "));
  }
  return "";
}

int Misused(const Given& last, const std::string& problem) {
  fmt::print(stderr, "{}: {}\nSee: {} --help\n", last.path, problem, last.path);
  return kMisused;
}

// `word_left`: the error is a word that no option or command takes.
int Refuse(const Given& last, const CLI::ParseError& error, bool word_left, int help_column) {
  // For some of these CLI11 reports only a missing subcommand.
  bool wants_subcommand = last.parser->get_require_subcommand_min() > 0;
  std::vector<std::string> rest = last.parser->remaining();
  if (!rest.empty() && (wants_subcommand || word_left)) {
    return Misused(last, Unexpected(last, rest.front()));
  }
  if (wants_subcommand) {
    fmt::print(stderr, "{}", HelpText(*last.command, last.path, help_column));
    return kMisused;
  }
  return Misused(last, error.what());
}

}  // namespace

Command::Command(std::string command_name, std::string command_summary)
    : name(std::move(command_name)), summary(std::move(command_summary)) {}

Option& Command::AddOption(Option option) { return options.emplace_back(std::move(option)); }

Command& Command::AddCommand(std::string command_name, std::string command_summary) {
  return subcommands.emplace_back(std::move(command_name), std::move(command_summary));
}

int RunCommandLine(const Command& program, int help_column, int argc, char** argv) {
  CLI::App parser(program.summary, program.name);
  if (!program.version.empty()) {
    parser.set_version_flag("--version", program.name + " " + program.version);
  }
  Declare(program, parser);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    Given last = LastGiven(program, parser);
    fmt::print("{}", HelpText(*last.command, last.path, help_column));
    return kHelpGiven;
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    return kHelpGiven;
  } catch (const CLI::ExtrasError& error) {
    return Refuse(LastGiven(program, parser), error, true, help_column);
  } catch (const CLI::ParseError& error) {
    return Refuse(LastGiven(program, parser), error, false, help_column);
  }
  Given last = LastGiven(program, parser);
  if (std::string problem = GroupProblem(last); !problem.empty()) return Misused(last, problem);
  return last.command->action();
}

}  // namespace meridian::cli

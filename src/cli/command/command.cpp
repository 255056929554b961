#include "cli/command/command.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace meridian::cli {
namespace {

using ParsedOptions = std::map<const Option*, CLI::Option*>;

CLI::Option* Declare(const Option& option, CLI::App& parser) {
  auto add = [&](auto* value) {
    if constexpr (std::is_same_v<decltype(value), bool*>) {
      return parser.add_flag(option.name, *value, option.help);
    } else {
      return parser.add_option(option.name, *value, option.help);
    }
  };
  CLI::Option* declared = std::visit(add, option.value);
  if (!option.type.empty()) declared->type_name(option.type);
  if (option.required) declared->required();
  if (option.hidden) declared->group("");
  if (option.separator) declared->delimiter(*option.separator);
  if (option.count) declared->expected(option.count->min, option.count->max);
  if (option.range) declared->check(CLI::Range(option.range->min, option.range->max));
  if (!option.one_of.empty()) declared->check(CLI::IsMember(option.one_of));
  if (option.shows_default) declared->capture_default_str();
  if (!option.default_text.empty()) declared->default_str(option.default_text);
  return declared;
}

void DeclareOptions(const Command& command, CLI::App& parser) {
  ParsedOptions declared;
  for (const Option& option : command.options) declared[&option] = Declare(option, parser);
  for (const Option& option : command.options) {
    for (const Option* other : option.needs) declared.at(&option)->needs(declared.at(other));
    for (const Option* other : option.excludes) declared.at(&option)->excludes(declared.at(other));
  }
  for (const OptionGroup& group : command.option_groups) {
    CLI::Option_group* grouped = parser.add_option_group(group.name);
    for (const Option* option : group.options) grouped->add_option(declared.at(option));
    grouped->require_option(1);
  }
}

void Declare(const Command& command, CLI::App& parser) {  // NOLINT(misc-no-recursion): few levels
  if (command.hidden) parser.group("");
  if (!command.footer.empty()) parser.footer(command.footer);
  // A subcommand takes the maximum of the command above it as its own.
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
};

// The last command of the command line: `report` of `meridian cdn report`.
Given LastGiven(const Command& program, const CLI::App& parser) {
  Given given{.command = &program, .parser = &parser};
  while (!given.parser->get_subcommands().empty()) {
    given.parser = given.parser->get_subcommands().front();
    given.command =
        &*std::ranges::find(given.command->subcommands, given.parser->get_name(), &Command::name);
  }
  return given;
}

// The word that stands where a subcommand is required, or nothing: CLI11 says only that a
// subcommand is missing.
std::string UnknownSubcommand(const CLI::App& last) {
  if (last.get_require_subcommand_min() == 0) return "";
  for (const std::string& word : last.remaining()) {
    if (!word.starts_with('-')) return word;
  }
  return "";
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
  parser.get_formatter()->column_width(static_cast<size_t>(help_column));
  Declare(program, parser);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (std::string word = UnknownSubcommand(*LastGiven(program, parser).parser); !word.empty()) {
      fmt::print(stderr, "{}: there is no subcommand \"{}\". --help lists them\n", program.name,
                 word);
      return kMisused;
    }
    return parser.exit(error) == 0 ? kHelpGiven : kMisused;
  }
  return LastGiven(program, parser).command->action();
}

}  // namespace meridian::cli

// COMMAND and its subcommands: the command table for clients.
#include "session/engine/command.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string_view>
#include <utility>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/engine/command_keys.hpp"
#include "session/engine/glob.hpp"
#include "session/limits.hpp"
#include "wire/resp/reply_writer.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {
namespace {

constexpr std::pair<uint32_t, std::string_view> kFlagNames[] = {
    {kWrite, "write"}, {kReadOnly, "readonly"}, {kDenyOom, "denyoom"},
    {kFast, "fast"},   {kNoAuth, "no_auth"},    {kPubSub, "pubsub"},
    {kAdmin, "admin"}, {kLoading, "loading"},   {kMovableKeys, "movablekeys"},
};

void ReplyKeySpecification(Call& call, const KeySpecification& keys) {
  wire::resp::ReplyWriter& reply = call.reply;
  auto number = [&](std::string_view name, int value) {
    reply.Bulk(name);
    reply.Integer(value);
  };
  reply.Map(keys.notes.empty() ? 3 : 4);
  if (!keys.notes.empty()) {
    reply.Bulk("notes");
    reply.Bulk(keys.notes);
  }
  reply.Bulk("flags");
  reply.Set(static_cast<size_t>(std::ranges::count(keys.flags, ' ')) + 1);
  for (auto word : std::views::split(keys.flags, ' ')) reply.SimpleString(std::string_view(word));
  auto part = [&](std::string_view name, std::string_view type, size_t numbers) {
    reply.Bulk(name);
    reply.Map(2);
    reply.Bulk("type");
    reply.Bulk(type);
    reply.Bulk("spec");
    reply.Map(numbers);
  };
  part("begin_search", "index", 1);
  number("index", keys.first);
  part("find_keys", keys.counted ? "keynum" : "range", 3);
  number(keys.counted ? "keynumidx" : "lastkey", keys.counted ? 0 : keys.last);
  number(keys.counted ? "firstkey" : "keystep", keys.counted ? 1 : keys.step);
  number(keys.counted ? "keystep" : "limit", keys.counted ? keys.step : 0);
}

void ReplyInfo(Call& call, const CommandSpec& spec) {
  call.reply.Array(10);
  call.reply.Bulk(spec.name);
  call.reply.Integer(spec.arity);
  size_t flags = 0;
  for (const auto& [flag, name] : kFlagNames)
    flags += static_cast<size_t>((spec.flags & flag) != 0);
  call.reply.Set(flags);
  for (const auto& [flag, name] : kFlagNames) {
    if ((spec.flags & flag) != 0) call.reply.SimpleString(name);
  }
  call.reply.Integer(spec.first_key);
  call.reply.Integer(spec.last_key);
  call.reply.Integer(spec.key_step);
  std::vector<std::string_view> categories = AclCategoriesOf(spec);
  call.reply.Set(categories.size());
  for (std::string_view category : categories) call.reply.SimpleString(category);
  call.reply.Set(0);  // hints
  std::vector<KeySpecification> keys = KeySpecificationsOf(spec);
  call.reply.Set(keys.size());
  for (const KeySpecification& each : keys) ReplyKeySpecification(call, each);
  call.reply.Set(0);  // subcommands
}

void ReplyDocs(Call& call, const CommandSpec& spec) {
  call.reply.Bulk(spec.name);
  call.reply.Map(3);
  call.reply.Bulk("summary");
  call.reply.Bulk(spec.summary);
  call.reply.Bulk("since");
  call.reply.Bulk(spec.since);
  call.reply.Bulk("group");
  call.reply.Bulk(spec.group);
}

void List(Call& call) {
  bool filtered = call.size() == 5 && call.Is(2, "FILTERBY") && call.Is(3, "PATTERN");
  if (call.size() > 2 && !filtered) return call.SyntaxError();
  std::vector<std::string_view> names;
  for (const CommandSpec& spec : Commands()) {
    if (filtered && !MatchesGlob(call[4].substr(0, kMaxPatternBytes), spec.name)) continue;
    names.push_back(spec.name);
  }
  call.reply.Array(names.size());
  for (std::string_view name : names) call.reply.Bulk(name);
}

void InfoOfAll(Call& call) {
  call.reply.Array(Commands().size());
  for (const CommandSpec& spec : Commands()) ReplyInfo(call, spec);
}

void Info(Call& call) {
  if (call.size() == 2) return InfoOfAll(call);
  call.reply.Array(call.size() - 2);
  for (std::string_view name : call.arguments.subspan(2)) {
    const CommandSpec* spec = FindCommand(name);
    if (spec == nullptr) {
      call.reply.Null();
    } else {
      ReplyInfo(call, *spec);
    }
  }
}

void Docs(Call& call) {
  std::vector<const CommandSpec*> wanted;
  if (call.size() == 2) {
    for (const CommandSpec& spec : Commands()) wanted.push_back(&spec);
  }
  for (std::string_view name : call.arguments.subspan(2)) {
    if (const CommandSpec* spec = FindCommand(name)) wanted.push_back(spec);
  }
  call.reply.Map(wanted.size());
  for (const CommandSpec* spec : wanted) ReplyDocs(call, *spec);
}

void GetKeys(Call& call) {
  wire::resp::Arguments request = call.arguments.subspan(2);
  const CommandSpec* spec = FindCommand(request[0]);
  if (spec == nullptr) return call.reply.Error("ERR Invalid command specified");
  if (!ArityFits(*spec, request.size())) {
    return call.reply.Error("ERR Invalid number of arguments specified for command");
  }
  std::vector<std::string_view> keys = KeysOf(*spec, request);
  if (keys.empty()) return call.reply.Error("ERR The command has no key arguments");
  call.reply.Array(keys.size());
  for (std::string_view key : keys) call.reply.Bulk(key);
}

void Count(Call& call) { call.reply.Integer(static_cast<int64_t>(Commands().size())); }

constexpr Subcommand kSubcommands[] = {
    {"COUNT", 2, &Count, "COUNT", "Return the total number of commands in this server."},
    {"DOCS", -2, &Docs, "DOCS [<command-name> ...]", "Return documentation of commands."},
    {"GETKEYS", -4, &GetKeys, "GETKEYS <full-command>", "Return the keys of a full command."},
    {"INFO", -2, &Info, "INFO [<command-name> ...]", "Return details about commands."},
    {"LIST", -2, &List, "LIST [FILTERBY PATTERN <pattern>]", "Return the names of commands."},
};

}  // namespace

void CommandCommand(Call& call) {
  if (call.size() == 1) return InfoOfAll(call);
  call.Dispatch(kSubcommands);
}

}  // namespace meridian::session

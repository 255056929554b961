// COMMAND and its subcommands: what the table says, for clients.
#include "session/command.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "session/glob.hpp"
#include "session/handlers.hpp"
#include "session/limits.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {
namespace {

constexpr std::pair<uint32_t, std::string_view> kFlagNames[] = {
    {kWrite, "write"},     {kReadOnly, "readonly"},       {kDenyOom, "denyoom"}, {kFast, "fast"},
    {kNoAuth, "no_auth"},  {kNoMulti, "no_multi"},        {kPubSub, "pubsub"},   {kAdmin, "admin"},
    {kLoading, "loading"}, {kMovableKeys, "movablekeys"},
};

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
  // ACL categories, hints, key specifications, subcommands.
  for (int i = 0; i < 4; ++i) call.reply.Array(0);
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
  std::string_view pattern;
  bool filtered = call.size() == 5 && call.Is(2, "FILTERBY") && call.Is(3, "PATTERN");
  if (call.size() > 2 && !filtered) return call.SyntaxError();
  if (filtered) pattern = call[4].substr(0, kMaxPatternBytes);
  std::vector<std::string_view> names;
  for (const CommandSpec& spec : Commands()) {
    if (pattern.empty() || MatchesGlob(pattern, spec.name)) names.push_back(spec.name);
  }
  call.reply.Array(names.size());
  for (std::string_view name : names) call.reply.Bulk(name);
}

void Info(Call& call, size_t first) {
  call.reply.Array(call.size() - first);
  for (std::string_view name : call.arguments.subspan(first)) {
    const CommandSpec* spec = FindCommand(name);
    if (spec == nullptr) {
      call.reply.NullArray();
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
  if (call.size() < 3) return call.WrongCount("command|getkeys");
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

}  // namespace

void CommandCommand(Call& call) {
  if (call.size() == 1) {
    call.reply.Array(Commands().size());
    for (const CommandSpec& spec : Commands()) ReplyInfo(call, spec);
    return;
  }
  if (call.Is(1, "COUNT")) {
    if (call.size() != 2) return call.WrongCount("command|count");
    return call.reply.Integer(static_cast<int64_t>(Commands().size()));
  }
  if (call.Is(1, "LIST")) return List(call);
  if (call.Is(1, "DOCS")) return Docs(call);
  if (call.Is(1, "GETKEYS")) return GetKeys(call);
  if (!call.Is(1, "INFO")) return call.UnknownSubcommand();
  if (call.size() > 2) return Info(call, 2);
  call.reply.Array(Commands().size());
  for (const CommandSpec& spec : Commands()) ReplyInfo(call, spec);
}

}  // namespace meridian::session

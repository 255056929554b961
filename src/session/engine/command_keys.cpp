#include "session/engine/command_keys.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "session/engine/command.hpp"

namespace meridian::session {
namespace {

// Whether `word` is one of the words, which have blanks between them.
bool HasWord(std::string_view words, std::string_view word) {
  for (size_t at = 0; at < words.size();) {
    size_t end = std::min(words.find(' ', at), words.size());
    if (words.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

// Of commands that treat all keys alike.
struct KeyFlags {
  std::string_view flags;
  std::string_view commands;
  std::string_view notes = {};
};
constexpr KeyFlags kKeyFlags[] = {
    {"RO", "exists hexists hlen hstrlen memory object scard sismember strlen touch type watch"},
    {"RO access",
     "expiretime get getrange hget hgetall hkeys hmget hrandfield hscan hvals mget pexpiretime "
     "pttl "
     "sdiff sinter sintercard smembers smismember srandmember sscan substr sunion ttl"},
    {"RW update", "expire expireat hmset hset persist pexpire pexpireat setrange"},
    {"RW insert", "append hsetnx sadd"},
    {"RW delete", "hdel srem"},
    {"RW access update", "decr decrby getset hincrby hincrbyfloat incr incrby incrbyfloat"},
    {"RW access update", "getex", "RW and UPDATE because it changes the TTL"},
    {"RW access update variable_flags", "set", "RW and ACCESS due to the optional `GET` argument"},
    {"RW access delete", "getdel spop"},
    {"OW update", "mset psetex setex"},
    {"OW insert", "msetnx setnx"},
    {"RM delete", "del unlink"},
};

// Of commands that treat the first key differently.
struct TwoKeyFlags {
  std::string_view command;
  std::string_view first;
  std::string_view rest;
};
constexpr TwoKeyFlags kTwoKeyFlags[] = {
    {"copy", "RO access", "OW update"},
    {"rename", "RW access delete", "OW update"},
    {"renamenx", "RW access delete", "OW insert"},
    {"sdiffstore", "OW update", "RO access"},
    {"sinterstore", "RW update", "RO access"},
    {"smove", "RW access delete", "RW insert"},
    {"sunionstore", "OW update", "RO access"},
};

// Their subcommands have categories of their own.
constexpr std::string_view kContainers = "acl client config memory object pubsub";
constexpr std::string_view kDangerous = "flushall flushdb info keys role";

}  // namespace

std::vector<KeySpecification> KeySpecificationsOf(const CommandSpec& spec) {
  bool ends_with_last = spec.last_key < 0;
  for (const TwoKeyFlags& each : kTwoKeyFlags) {
    if (each.command != spec.name) continue;
    return {{.flags = each.first},
            {.first = 2, .last = ends_with_last ? -1 : 0, .flags = each.rest}};
  }
  for (const KeyFlags& each : kKeyFlags) {
    if (!HasWord(each.commands, spec.name)) continue;
    if ((spec.flags & kMovableKeys) != 0) return {{.counted = true, .flags = each.flags}};
    return {{.first = spec.first_key,
             .last = ends_with_last ? spec.last_key : spec.last_key - spec.first_key,
             .step = spec.key_step,
             .flags = each.flags,
             .notes = each.notes}};
  }
  return {};
}

std::vector<std::string_view> AclCategoriesOf(const CommandSpec& spec) {
  if (HasWord(kContainers, spec.name)) return {"@slow"};
  bool of_keys = (spec.group == "generic" && spec.name != "wait") || spec.name == "dbsize" ||
                 HasWord("flushall flushdb", spec.name);
  std::vector<std::string_view> categories;
  auto add = [&](bool is_in, std::string_view category) {
    if (is_in) categories.push_back(category);
  };
  add(of_keys, "@keyspace");
  add((spec.flags & kReadOnly) != 0, "@read");
  add((spec.flags & kWrite) != 0, "@write");
  add(spec.group == "set", "@set");
  add(spec.group == "hash", "@hash");
  add(spec.group == "string", "@string");
  add(spec.group == "pubsub", "@pubsub");
  add(spec.name == "role", "@admin");
  add((spec.flags & kFast) != 0, "@fast");
  add((spec.flags & kFast) == 0, "@slow");
  add(HasWord(kDangerous, spec.name), "@dangerous");
  add(spec.group == "connection" || HasWord("command wait", spec.name), "@connection");
  add(spec.group == "transactions", "@transaction");
  return categories;
}

}  // namespace meridian::session

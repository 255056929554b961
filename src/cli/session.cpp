// meridian session lag, digest, get: shows the state of every data center's session tier, from
// their agents.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/tier_answers.hpp"
#include "site/site.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

using wire::json::Value;

// Of a million keys.
constexpr Duration kDigestTimeout = std::chrono::seconds{20};

struct Arguments {
  std::string key;
  std::string state_directory = ".meridian";
  bool json = false;
};

// The answers of all data centers with sessions.
Result<std::vector<TierAnswer>> AskAll(const Deployed& deployed, std::string_view what) {
  auto external = deployed.site.externals.find("session");
  if (external != deployed.site.externals.end()) {
    return Fail(Errc::kUnavailable, "sessions are not kept here but at {}", external->second.shown);
  }
  return AskTiers(deployed, {.tier = "session", .what = what, .timeout = kDigestTimeout});
}

// Empty if it is not known yet.
std::string ClockText(const Value& peer) {
  if (peer.Find("clock_lead_seconds") == nullptr) return "";
  double lead = peer.NumberOf("clock_lead_seconds");
  return fmt::format("; its clock {} by {:.3f} s ± {:.3f} s", lead < 0 ? "is behind" : "leads",
                     std::abs(lead), peer.NumberOf("clock_error_seconds"));
}

// The reason why a data center does not follow another, and what to do.
void PrintProblem(const Value& peer, std::string_view member, std::string_view what) {
  const Value* problem = peer.Find(member);
  if (problem == nullptr || !problem->is_object()) return;
  fmt::print("  {}: {}\n", what, problem->TextOf("reason"));
  std::string next = problem->TextOf("next");
  if (!next.empty()) fmt::print("  next: {}\n", next);
}

void PrintLag(const TierAnswer& answer) {
  std::span<const Value> peers = answer.told.ElementsOf("peers");
  if (peers.empty()) fmt::print("{:<14} follows nobody\n", answer.data_center);
  for (const Value& peer : peers) {
    fmt::print("{:<14} follows {:<14} {:<13} {} records, {:.1f} s behind{}\n", answer.data_center,
               peer.TextOf("name"), peer.BooleanOf("connected") ? "connected" : "not connected",
               peer.WholeNumberOf("behind_records"), peer.NumberOf("behind_seconds"),
               ClockText(peer));
    PrintProblem(peer, "problem", "does not follow it");
    PrintProblem(peer, "refused", "is not followed by it");
  }
}

void PrintDigest(const TierAnswer& answer) {
  fmt::print("{:<14} {} of {} keys\n", answer.data_center, answer.told.TextOf("digest"),
             answer.told.WholeNumberOf("keys"));
}

void CompareDigests(const std::vector<TierAnswer>& all) {
  std::vector<std::string> digests;
  for (const TierAnswer& answer : all) {
    if (answer.problem.empty()) digests.push_back(answer.told.TextOf("digest"));
  }
  if (digests.size() < 2) return;
  bool same = std::ranges::all_of(digests, [&](const auto& each) { return each == digests[0]; });
  fmt::print("{}\n",
             same ? "All hold the same."
                  : "They differ. While there are writes that is so for moments; ask again.");
}

void PrintKey(const TierAnswer& answer) {
  std::string type = answer.told.TextOf("type");
  if (type == "none") {
    fmt::print("{:<14} has no such key\n", answer.data_center);
    return;
  }
  int64_t ttl_ms = answer.told.IntegerOf("ttl_ms");
  constexpr double kMillisecondsPerSecond = 1000;
  std::string end = ttl_ms < 0 ? "no end"
                               : fmt::format("ends in {:.1f} s",
                                             static_cast<double>(ttl_ms) / kMillisecondsPerSecond);
  const Value* value = answer.told.Find("value");
  fmt::print("{:<14} {}, {}, {} bytes\n  {}\n", answer.data_center, type, end,
             answer.told.WholeNumberOf("bytes"),
             wire::json::ToText(value != nullptr ? *value : Value()));
}

// Escapes all bytes that a query may not contain.
std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (char c : text) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

// The description of a subcommand of `session`.
struct Subcommand {
  const char* name;
  const char* summary;
  const char* what;  // the last part of the tier's path
  void (*print)(const TierAnswer& answer);
  void (*compare)(const std::vector<TierAnswer>& all) = nullptr;
};

int Show(const Arguments& arguments, const Subcommand& subcommand) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  std::string what = subcommand.what;
  if (!arguments.key.empty()) what += "?" + PercentEncoded(arguments.key);
  Result<std::vector<TierAnswer>> all = AskAll(*deployed, what);
  if (!all) return Complain(all.error());
  bool answered = false;
  for (const TierAnswer& answer : *all) answered |= answer.problem.empty();
  if (arguments.json) {
    fmt::print("{}\n", JsonOf(*all));
    return answered ? kDone : kFailed;
  }
  for (const TierAnswer& answer : *all) {
    if (answer.problem.empty()) {
      subcommand.print(answer);
    } else {
      fmt::print("{:<14} {}\n", answer.data_center, answer.problem);
    }
  }
  if (subcommand.compare != nullptr) subcommand.compare(*all);
  return answered ? kDone : kFailed;
}

Command& AddSubcommand(Command& session, const Subcommand& subcommand,
                       const std::shared_ptr<Arguments>& arguments) {
  Command& command = session.AddCommand(subcommand.name, subcommand.summary);
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments, subcommand] { return Show(*arguments, subcommand); };
  return command;
}

}  // namespace

void AddSessionCommands(Command& session) {
  auto arguments = std::make_shared<Arguments>();
  session.subcommands_given = {.min = 0, .max = 1};
  AddSubcommand(session,
                {.name = "lag",
                 .summary = "How far each data center is behind each other",
                 .what = "lag",
                 .print = &PrintLag},
                arguments);
  AddSubcommand(session,
                {.name = "digest",
                 .summary = "Whether all data centers hold the same",
                 .what = "digest",
                 .print = &PrintDigest,
                 .compare = &CompareDigests},
                arguments);
  Command& get = AddSubcommand(session,
                               {.name = "get",
                                .summary = "What each data center has of a key",
                                .what = "key",
                                .print = &PrintKey},
                               arguments);
  get.AddOption({.name = "key",
                 .value = &arguments->key,
                 .help = "The key",
                 .type = "KEY",
                 .required = true});
}

}  // namespace meridian::cli

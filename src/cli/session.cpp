// meridian session lag, digest, get: what every data center's session tier holds, as their agents
// say.
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "http/fetch.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

using Json = nlohmann::ordered_json;

// Of a million keys.
constexpr Duration kDigestTimeout = std::chrono::seconds{20};

struct Arguments {
  std::string key;
  std::string state_directory = ".meridian";
  bool json = false;
};

// What one data center says; an object with "problem" when it does not.
Json Ask(const Deployed& deployed, const site::DataCenter& dc, std::string_view what) {
  std::string path = fmt::format("/.meridian/tier/session/{}", what);
  Result<http::Fetched> answer =
      CallAgent(deployed, dc, {.method = "GET", .path = path, .timeout = kDigestTimeout});
  if (!answer) return {{"problem", "it does not answer (" + answer.error().message + ")"}};
  Json json = Json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (answer->status == 200 && json.is_object()) return json;
  return {{"problem", fmt::format("{} (status {})", answer->body, answer->status)}};
}

// Every data center that has sessions, with what it says.
Result<Json> AskAll(const Deployed& deployed, std::string_view what) {
  auto external = deployed.site.externals.find("session");
  if (external != deployed.site.externals.end()) {
    return Fail(Errc::kUnavailable, "sessions are not kept here but at {}", external->second.shown);
  }
  Json all = Json::array();
  for (const site::DataCenter& dc : deployed.site.datacenters) {
    if (dc.edge_only) continue;
    Json entry = {{"datacenter", dc.name}};
    entry.update(Ask(deployed, dc, what));
    all.push_back(std::move(entry));
  }
  return all;
}

// Prints the problem that stands in the place of an answer.
bool PrintProblem(const Json& entry) {
  if (!entry.contains("problem")) return false;
  fmt::print("{:<14} {}\n", entry["datacenter"].get<std::string>(),
             entry["problem"].get<std::string>());
  return true;
}

void PrintLag(const Json& all) {
  for (const Json& entry : all) {
    if (PrintProblem(entry)) continue;
    auto name = entry["datacenter"].get<std::string>();
    if (entry["peers"].empty()) fmt::print("{:<14} follows nobody\n", name);
    for (const Json& peer : entry["peers"]) {
      auto lead = peer["clock_lead_seconds"].get<double>();
      fmt::print(
          "{:<14} follows {:<14} {:<13} {} records, {:.1f} s behind; its clock {} by {:.3f} s\n",
          name, peer["name"].get<std::string>(),
          peer["connected"].get<bool>() ? "connected" : "not connected",
          peer["behind_records"].get<uint64_t>(), peer["behind_seconds"].get<double>(),
          lead < 0 ? "is behind" : "leads", std::abs(lead));
    }
  }
}

void PrintDigest(const Json& all) {
  std::vector<std::string> digests;
  for (const Json& entry : all) {
    if (PrintProblem(entry)) continue;
    digests.push_back(entry["digest"].get<std::string>());
    fmt::print("{:<14} {} of {} keys\n", entry["datacenter"].get<std::string>(), digests.back(),
               entry["keys"].get<uint64_t>());
  }
  bool same = true;
  for (const std::string& digest : digests) same &= digest == digests.front();
  if (digests.size() < 2) return;
  fmt::print("{}\n",
             same ? "All hold the same."
                  : "They differ. While there are writes that is so for moments; ask again.");
}

void PrintKey(const Json& all) {
  for (const Json& entry : all) {
    if (PrintProblem(entry)) continue;
    auto name = entry["datacenter"].get<std::string>();
    auto type = entry["type"].get<std::string>();
    if (type == "none") {
      fmt::print("{:<14} has no such key\n", name);
      continue;
    }
    auto ttl_ms = entry["ttl_ms"].get<int64_t>();
    constexpr double kMillisecondsPerSecond = 1000;
    std::string end =
        ttl_ms < 0
            ? "no end"
            : fmt::format("ends in {:.1f} s", static_cast<double>(ttl_ms) / kMillisecondsPerSecond);
    fmt::print("{:<14} {}, {}, {} bytes\n  {}\n", name, type, end, entry["bytes"].get<uint64_t>(),
               entry["value"].dump(-1, ' ', false, Json::error_handler_t::replace));
  }
}

// What is sent as the query: every byte that is not plainly allowed, escaped.
std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (char c : text) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

using Print = void (*)(const Json& all);

int Show(const Arguments& arguments, std::string what, Print print) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  if (!arguments.key.empty()) what += "?" + PercentEncoded(arguments.key);
  Result<Json> all = AskAll(*deployed, what);
  if (!all) return Complain(all.error());
  if (arguments.json) {
    Json out = {{"datacenters", *all}};
    fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    print(*all);
  }
  bool answered = false;
  for (const Json& entry : *all) answered |= !entry.contains("problem");
  return answered ? kDone : kFailed;
}

struct Question {
  const char* name;
  const char* summary;
  const char* what;  // the last part of the tier's path
  Print print;
};

Command& AddQuestion(Command& session, const Question& question,
                     const std::shared_ptr<Arguments>& arguments) {
  Command& command = session.AddCommand(question.name, question.summary);
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments, question] {
    return Show(*arguments, question.what, question.print);
  };
  return command;
}

}  // namespace

void AddSessionCommands(Command& session) {
  auto arguments = std::make_shared<Arguments>();
  session.subcommands_given = {.min = 0, .max = 1};
  AddQuestion(session,
              {.name = "lag",
               .summary = "How far each data center is behind each other",
               .what = "lag",
               .print = &PrintLag},
              arguments);
  AddQuestion(session,
              {.name = "digest",
               .summary = "Whether all data centers hold the same",
               .what = "digest",
               .print = &PrintDigest},
              arguments);
  Command& get = AddQuestion(session,
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

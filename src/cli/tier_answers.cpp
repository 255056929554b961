#include "cli/tier_answers.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command_line.hpp"
#include "http/client/fetch.hpp"
#include "site/site.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

constexpr size_t kIndent = 2;

TierAnswer Ask(const Deployed& deployed, const site::DataCenter& dc, const TierQuestion& question) {
  const std::string path = fmt::format("/.meridian/tier/{}/{}", question.tier, question.what);
  Result<http::Fetched> answer =
      CallAgent(deployed, dc, {.method = "GET", .path = path, .timeout = question.timeout});
  if (!answer) {
    return {.data_center = dc.name,
            .problem = "it does not answer (" + answer.error().message + ")"};
  }
  Result<wire::json::Value> told = wire::json::Parse(answer->body);
  if (answer->status == 200 && told && told->is_object()) {
    return {.data_center = dc.name, .told = std::move(*told)};
  }
  return {.data_center = dc.name,
          .problem = fmt::format("{} (status {})", answer->body, answer->status)};
}

}  // namespace

std::vector<TierAnswer> AskTiers(const Deployed& deployed, const TierQuestion& question) {
  std::vector<TierAnswer> answers;
  for (const site::DataCenter& dc : deployed.site.datacenters) {
    if (!dc.edge_only) answers.push_back(Ask(deployed, dc, question));
  }
  return answers;
}

std::string JsonOf(const std::vector<TierAnswer>& answers) {
  wire::json::Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.BeginArray("datacenters");
  for (const TierAnswer& answer : answers) {
    writer.BeginObject();
    writer.Member("datacenter", answer.data_center);
    if (!answer.problem.empty()) writer.Member("problem", answer.problem);
    for (const auto& [name, value] : answer.told.members()) writer.Member(name, value);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take();
}

}  // namespace meridian::cli

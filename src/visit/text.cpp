#include "visit/text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "visit/record.hpp"
#include "visit/target.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/record.hpp"
#include "wire/http/status.hpp"

namespace meridian::visit {
namespace {

using wire::dns::RecordType;

enum class Severity : uint8_t { kPlain, kGood, kNotice, kBad };

struct Row {
  std::string step;
  std::string what;
  std::string where;
  std::string took;
  std::string result;
  Severity severity = Severity::kPlain;
};

struct Widths {
  size_t step = 0;
  size_t what = 0;
  size_t where = 0;
  size_t took = 0;

  void Fit(const Row& row) {
    step = std::max(step, row.step.size());
    what = std::max(what, row.what.size());
    where = std::max(where, row.where.size());
    took = std::max(took, row.took.size());
  }
};

std::string TimeText(Duration duration) { return fmt::format("{:.1f} ms", Milliseconds(duration)); }

// Replaces control characters: a server must not control the terminal.
std::string Printable(std::string_view text) {
  std::string safe(text);
  std::ranges::replace_if(safe, [](char c) { return c < ' ' || c > '~'; }, '?');
  return safe;
}

std::string NameText(const wire::dns::Name& name) {
  std::string text = name.ToString();
  if (text.size() > 1) text.pop_back();
  return Printable(text);
}

std::string TypeText(RecordType type) {
  return type == RecordType::kA ? "A" : type == RecordType::kAaaa ? "AAAA" : "HTTPS";
}

// The part of the name before `host`, such as "us-west"; empty for the host itself.
std::string ShortName(const wire::dns::Name& name, const std::string& host) {
  if (name.is_root()) return "";
  std::string text = NameText(name);
  if (text == host) return "";
  if (text.ends_with("." + host)) text.resize(text.size() - host.size() - 1);
  return text + " ";
}

// "1 us-west 127.2.0.1:8443"
std::string ServiceText(const wire::dns::ServiceBinding& service, const Target& target) {
  std::vector<IpAddress> hints = service.ipv4_hints;
  hints.insert(hints.end(), service.ipv6_hints.begin(), service.ipv6_hints.end());
  std::string text = fmt::format("{} {}", service.priority, ShortName(service.target, target.host));
  for (const IpAddress& hint : hints) {
    text += service.port ? Endpoint{hint, *service.port}.ToString() : hint.ToString();
    text += " ";
  }
  text.pop_back();
  return text;
}

std::string AnswerText(const DnsAnswer& answer, const Target& target) {
  std::string text;
  auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (answer.kind == DnsAnswer::Kind::kNoData) add("none");
  if (answer.kind == DnsAnswer::Kind::kNoName) add("no such name");
  for (const IpAddress& address : answer.addresses) add(address.ToString());
  for (const wire::dns::ServiceBinding& service : answer.services)
    add(ServiceText(service, target));
  add(fmt::format("ttl {} s", answer.ttl_seconds));
  if (answer.subnet_scope) add(fmt::format("subnet scope /{}", *answer.subnet_scope));
  return text;
}

// The code's name is enough if the message only repeats the address.
std::string ErrorText(const Error& error) {
  return MayFallBack(error) ? std::string(ErrcName(error.code)) : Printable(error.message);
}

Row DnsRow(const DnsTry& attempt, const Target& target) {
  Row row{
      .step = "dns",
      .what =
          fmt::format("{} {}", NameText(attempt.question.name), TypeText(attempt.question.type)),
      .where = fmt::format("{} {}", attempt.server.data_center, attempt.server.endpoint.ToString()),
      .took = TimeText(attempt.took)};
  if (attempt.answer) {
    row.result = AnswerText(*attempt.answer, target) + (attempt.tcp ? ", over TCP" : "");
  } else {
    row.result = ErrcName(attempt.answer.error().code);
    if (attempt.answer.error().code != Errc::kTimeout) {
      row.result = Printable(attempt.answer.error().message);
    }
    row.severity = Severity::kBad;
  }
  return row;
}

std::string StatusText(const Attempt& attempt) {
  std::string text =
      fmt::format("{} {}, {}", attempt.status, wire::http::ReasonPhrase(attempt.status),
                  BytesText(attempt.body_bytes));
  if (!attempt.location.empty()) text += ", to " + Printable(attempt.location);
  return text;
}

Severity SeverityOf(int status) {
  constexpr int kRedirection = 300;
  constexpr int kClientError = 400;
  return status >= kClientError   ? Severity::kBad
         : status >= kRedirection ? Severity::kNotice
                                  : Severity::kGood;
}

// The rows of an address. The last step that began shows the error.
std::vector<Row> AttemptRows(const Attempt& attempt, const Target& target) {
  std::vector<Row> rows;
  if (attempt.connect) {
    rows.push_back({.step = "connect",
                    .what = attempt.address.endpoint.ToString(),
                    .where = attempt.address.data_center,
                    .took = TimeText(*attempt.connect)});
  }
  if (attempt.secure) {
    rows.push_back({.step = "tls",
                    .what = target.host,
                    .took = TimeText(*attempt.secure),
                    .result = "certificate of the site's CA"});
  }
  if (attempt.request) {
    std::string query = target.query ? "?" + *target.query : "";
    rows.push_back({.step = "request",
                    .what = Printable("GET " + target.path + query),
                    .took = TimeText(*attempt.request)});
    if (attempt.status != 0) rows.back().result = StatusText(attempt);
    rows.back().severity = SeverityOf(attempt.status);
  }
  if (attempt.error && !rows.empty()) {
    std::string before = attempt.status != 0 ? rows.back().result + ", then " : "";
    rows.back().result = before + ErrorText(*attempt.error);
    rows.back().severity = Severity::kBad;
  }
  return rows;
}

std::string PathText(const ResponsePath& path) {
  std::string text;
  for (const auto& [part, name] :
       {std::pair<std::string_view, const std::string&>("edge", path.edge),
        {"data center", path.datacenter},
        {"instance", path.instance}}) {
    if (!name.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : " > ", part, name);
  }
  return text;
}

std::string Painted(const std::string& text, Severity severity, bool color) {
  if (!color || severity == Severity::kPlain || text.empty()) return text;
  constexpr int kGreen = 32;
  constexpr int kYellow = 33;
  constexpr int kRed = 31;
  int code = severity == Severity::kGood ? kGreen : severity == Severity::kNotice ? kYellow : kRed;
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string Line(const Row& row, const Widths& widths, bool color) {
  std::string step = fmt::format("{:<{}}", row.step, widths.step);
  if (color) step = fmt::format("\x1b[2m{}\x1b[0m", step);
  std::string text =
      fmt::format("  {}  {:<{}}  {:<{}}  {:>{}}  {}", step, row.what, widths.what, row.where,
                  widths.where, row.took, widths.took, Painted(row.result, row.severity, color));
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

// Its value spans all columns.
std::string WideLine(std::string_view step, const std::string& value, const Widths& widths,
                     bool color) {
  std::string padded = fmt::format("{:<{}}", step, widths.step);
  if (color) padded = fmt::format("\x1b[2m{}\x1b[0m", padded);
  return fmt::format("  {}  {}\n", padded, value);
}

// Hides the AAAA query of a site without IPv6, which has no information.
bool IsShown(const DnsTry& attempt) {
  return attempt.question.type == RecordType::kA || !attempt.answer ||
         attempt.answer->kind == DnsAnswer::Kind::kFound;
}

}  // namespace

std::string BytesText(uint64_t bytes) {
  constexpr uint64_t kThousand = 1000;
  if (bytes < kThousand) return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  double thousands = static_cast<double>(bytes) / kThousand;
  // Values that would be rounded to 1000.0 KB are printed in MB.
  if (thousands < 999.95) return fmt::format("{:.1f} KB", thousands);
  return fmt::format("{:.1f} MB", thousands / kThousand);
}

std::string RenderVisit(const Visit& visit, const Target& target, const VisitTextOptions& options) {
  std::vector<Row> rows;
  for (const DnsTry& attempt : visit.dns) {
    if (IsShown(attempt)) rows.push_back(DnsRow(attempt, target));
  }
  for (const Attempt& attempt : visit.attempts) {
    std::ranges::move(AttemptRows(attempt, target), std::back_inserter(rows));
  }
  Widths widths{.step = std::string_view("request").size()};
  for (const Row& row : rows) widths.Fit(row);
  std::string text = "visit " + Printable(options.url);
  if (!options.from.empty()) text += " from " + Printable(options.from);
  text += "\n";
  for (const Row& row : rows) text += Line(row, widths, options.color);
  auto add_line = [&](std::string_view step, const std::string& value) {
    text += WideLine(step, value, widths, options.color);
  };
  if (visit.problem) {
    add_line("failed", Painted(Printable(visit.problem->message), Severity::kBad, options.color));
  } else if (std::string path = PathText(visit.attempts.back().path); !path.empty()) {
    add_line("path", path);
  }
  add_line("total", TimeText(visit.took));
  return text;
}

}  // namespace meridian::visit

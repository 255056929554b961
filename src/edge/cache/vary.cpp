#include "edge/cache/vary.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/cache/limits.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/field_role.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderFields;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), wire::http::ToLower);
  return lower;
}

struct Preference {
  std::string name;
  int weight = 1000;    // thousandths (RFC 9110 12.4.2)
  size_t position = 0;  // in the field
};

// "0.5" is 500; what is no weight is 1000.
int ParseWeight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 1000;
  if (text.size() > 1 && text[1] != '.') return 1000;
  int weight = (text[0] - '0') * 1000;
  int unit = 100;
  for (char c : text.substr(std::min<size_t>(2, text.size()))) {
    if (!wire::http::IsDigit(c)) return 1000;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(weight, 1000);
}

std::vector<Preference> ParsePreferences(std::string_view name, const HeaderFields& request) {
  std::vector<Preference> preferences;
  request.ForEachElement(name, [&](std::string_view element) {
    size_t semicolon = std::min(element.find(';'), element.size());
    Preference preference{.name = Lower(wire::http::TrimWhitespace(element.substr(0, semicolon)))};
    std::string_view rest = element.substr(semicolon);
    size_t equals = rest.find('=');
    if (equals != std::string_view::npos) {
      preference.weight = ParseWeight(wire::http::TrimWhitespace(rest.substr(equals + 1)));
    }
    preference.position = preferences.size();
    preferences.push_back(std::move(preference));
  });
  return preferences;
}

std::string Join(const std::vector<Preference>& preferences) {
  std::string joined;
  for (const Preference& each : preferences) {
    joined.append(joined.empty() ? "" : ",").append(each.name);
    if (each.weight == 0) joined += ";q=0";
  }
  return joined;
}

// Every coding that is wanted at all will do, in whatever order.
std::string NormalizeCodings(const HeaderFields& request) {
  std::vector<Preference> codings = ParsePreferences("Accept-Encoding", request);
  std::ranges::sort(codings, {}, [](const Preference& p) { return std::pair(p.name, -p.weight); });
  auto repeated = std::ranges::unique(codings, {}, &Preference::name);
  codings.erase(repeated.begin(), repeated.end());
  return Join(codings);
}

// The order counts, the weights that make it do not.
std::string NormalizeLanguages(const HeaderFields& request) {
  std::vector<Preference> languages = ParsePreferences("Accept-Language", request);
  std::ranges::sort(languages, {},
                    [](const Preference& p) { return std::pair(-p.weight, p.position); });
  return Join(languages);
}

std::string JoinLines(std::string_view name, const HeaderFields& request) {
  std::string value;
  bool first = true;
  request.ForEach(name, [&](std::string_view line) {
    if (!std::exchange(first, false)) value += ',';
    value += line;
  });
  return value;
}

std::string Normalize(std::string_view name, const HeaderFields& request) {
  if (name == "accept-encoding") return NormalizeCodings(request);
  if (name == "accept-language") return NormalizeLanguages(request);
  return JoinLines(name, request);
}

// A program that tells no separators apart reads two fields as the one that the origin varies by.
bool HasLookAlike(std::string_view name, const HeaderFields& request) {
  return std::ranges::any_of(request, [&](const wire::http::HeaderField& field) {
    return !wire::http::EqualsIgnoreCase(field.name, name) &&
           wire::http::LooksLike(field.name, name);
  });
}

// The origin hears the visitor's address in these, whatever he sent in them himself: the request as
// it came does not tell such variants apart.
bool TellsTheAddress(std::string_view name) {
  constexpr std::string_view kAddressFields[] = {"forwarded", "x-forwarded-for", "x-real-ip"};
  return std::ranges::any_of(kAddressFields, [&](std::string_view each) {
    return wire::http::EqualsIgnoreCase(each, name);
  });
}

}  // namespace

std::optional<std::string> ParseVary(const HeaderFields& fields) {
  std::vector<std::string> names;
  bool storable = true;
  fields.ForEachElement("Vary", [&](std::string_view name) {
    storable = storable && wire::http::IsToken(name) && name != "*" && !TellsTheAddress(name) &&
               names.size() < kMaxVaryNames;
    if (storable) names.push_back(Lower(name));
  });
  if (!storable) return std::nullopt;
  std::ranges::sort(names);
  auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  std::string joined;
  for (const std::string& name : names) joined.append(joined.empty() ? "" : ",").append(name);
  return joined;
}

std::optional<std::string> VariantKey(std::string_view names, const HeaderFields& request) {
  std::string key;
  while (!names.empty()) {
    size_t comma = std::min(names.find(','), names.size());
    std::string_view name = names.substr(0, comma);
    names.remove_prefix(std::min(comma + 1, names.size()));
    if (HasLookAlike(name, request)) return std::nullopt;
    // A line for each field: no value has a line end, so that none can pretend to be two.
    key += request.Has(name) ? '=' : '-';
    key += Normalize(name, request);
    key += '\n';
    if (key.size() > kMaxVariantKeyBytes) return std::nullopt;
  }
  return key;
}

}  // namespace meridian::edge

#include "edge/cache/vary.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/cache/limits.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/fields/field_role.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderFields;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), wire::http::ToLower);
  return lower;
}

constexpr std::string_view kNoIdentity = "identity;q=0";

struct Preference {
  std::string name;
  int weight = 1000;    // thousandths (RFC 9110 12.4.2)
  size_t position = 0;  // in the field
};

// "0.5" is 500; an invalid weight is 1000.
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

// "x-gzip" and "x-compress" are aliases (RFC 9110 8.4.1).
std::string_view CodingName(std::string_view name) {
  return name == "x-gzip" || name == "x-compress" ? name.substr(2) : name;
}

// The accepted codings, in any order (RFC 9110 12.5.3). Redundant elements are left out: an
// accepted identity, and a refused coding without "*". The result has the accepted codings, "*"
// with the codings that it excludes, and identity where it is refused.
std::string NormalizeCodings(const HeaderFields& request) {
  std::vector<Preference> codings = ParsePreferences("Accept-Encoding", request);
  for (Preference& each : codings) each.name = CodingName(each.name);
  std::ranges::sort(codings, {}, [](const Preference& p) { return std::pair(p.name, -p.weight); });
  auto repeated = std::ranges::unique(codings, {}, &Preference::name);
  codings.erase(repeated.begin(), repeated.end());
  auto says = [&](std::string_view name, bool wanted) {
    return std::ranges::any_of(codings, [&](const Preference& each) {
      return each.name == name && (each.weight > 0) == wanted;
    });
  };
  const bool any = says("*", true);
  const bool refuses_identity =
      says("identity", false) || (says("*", false) && !says("identity", true));
  std::erase_if(codings, [&](const Preference& each) {
    return each.name == "identity" || (each.weight == 0 && (!any || each.name == "*"));
  });
  std::string joined = Join(codings);
  if (refuses_identity) joined.append(joined.empty() ? "" : ",").append(kNoIdentity);
  return joined;
}

// Languages by descending weight, without the weights.
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

// Whether a field has a single value, in which a comma is not a separator.
bool IsNoList(std::string_view name) {
  constexpr std::string_view kNames[] = {"authorization", "cookie",  "from",      "host",
                                         "origin",        "referer", "user-agent"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

// Joins the elements of all lines of a list field, without empty elements and white space (RFC 9110
// 5.6.1).
std::string JoinElements(std::string_view name, const HeaderFields& request) {
  std::string value;
  request.ForEachElement(name, [&](std::string_view element) {
    value.append(value.empty() ? "" : ",").append(element);
  });
  return value;
}

std::string Normalize(std::string_view name, const HeaderFields& request) {
  if (name == "accept-encoding") return NormalizeCodings(request);
  if (name == "accept-language") return NormalizeLanguages(request);
  return IsNoList(name) ? JoinLines(name, request) : JoinElements(name, request);
}

// Whether the request has a field that differs from `name` only in separators ("-", "_"): an
// application that does not distinguish them may read it as the field that it varies by.
bool HasLookAlike(std::string_view name, const HeaderFields& request) {
  return std::ranges::any_of(request, [&](const wire::http::HeaderField& field) {
    return !wire::http::EqualsIgnoreCase(field.name, name) &&
           wire::http::LooksLike(field.name, name);
  });
}

// Removes the text up to and including `end`; returns it without `end`.
std::string_view Take(std::string_view* text, char end) {
  const size_t size = std::min(text->find(end), text->size());
  const std::string_view taken = text->substr(0, size);
  text->remove_prefix(std::min(size + 1, text->size()));
  return taken;
}

bool HasElement(std::string_view list, std::string_view element) {
  while (!list.empty()) {
    if (Take(&list, ',') == element) return true;
  }
  return false;
}

// A normalised Accept-Encoding, as in VariantKey.
class AcceptedCodings {
 public:
  explicit AcceptedCodings(std::string_view line)
      : list_(line.substr(std::min<size_t>(1, line.size()))) {}

  bool few() const { return std::ranges::count(list_, ',') < kMaxComparedCodings; }
  bool Accepts(std::string_view coding) const {
    if (HasElement(list_, coding)) return true;
    if (!HasElement(list_, "*")) return false;
    return !HasElement(list_, std::string(coding) + ";q=0");
  }
  // Whether this accepts every coding that `other` accepts, as far as both name codings.
  bool Covers(const AcceptedCodings& other) const {
    std::string_view rest = other.list_;
    while (!rest.empty()) {
      const std::string_view element = Take(&rest, ',');
      if (!element.ends_with(";q=0") && !HasElement(list_, element)) return false;
    }
    if (refuses_identity() && !other.refuses_identity()) return false;
    if (!HasElement(other.list_, "*")) return true;
    rest = list_;  // `other` must refuse each coding that "*" excludes here
    while (!rest.empty()) {
      const std::string_view element = Take(&rest, ',');
      if (element.ends_with(";q=0") && !HasElement(other.list_, element)) return false;
    }
    return true;
  }
  bool refuses_identity() const { return HasElement(list_, kNoIdentity); }

 private:
  std::string_view list_;
};

// Whether the response to the Accept-Encoding `stored`, with `codings`, also answers `asked`:
// `asked` accepts `codings`, and no coding that `stored` does not accept.
bool CodingsAnswer(std::string_view stored, std::string_view asked, std::string_view codings) {
  const AcceptedCodings before(stored);
  const AcceptedCodings now(asked);
  if (!before.few() || !now.few() || !before.Covers(now)) return false;
  if (codings.empty()) return !now.refuses_identity();
  while (!codings.empty()) {
    if (!now.Accepts(Take(&codings, ','))) return false;
  }
  return true;
}

// Whether the edge writes the visitor's address into the field: the request as received then does
// not select the variant.
bool HoldsClientAddress(std::string_view name) {
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
    storable = storable && wire::http::IsToken(name) && name != "*" && !HoldsClientAddress(name) &&
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
    // A line for each field: values have no line end, so that a value cannot look like two fields.
    key += request.Has(name) ? '=' : '-';
    key += Normalize(name, request);
    key += '\n';
    if (key.size() > kMaxVariantKeyBytes) return std::nullopt;
  }
  return key;
}

bool VariantAnswers(const StoredVariant& stored, std::string_view asked) {
  if (stored.key == asked) return true;
  std::string_view names = stored.names;
  std::string_view key = stored.key;
  while (!names.empty()) {
    const std::string_view name = Take(&names, ',');
    const std::string_view before = Take(&key, '\n');
    const std::string_view now = Take(&asked, '\n');
    if (before == now) continue;
    if (name != "accept-encoding" || !CodingsAnswer(before, now, stored.codings)) return false;
  }
  return true;
}

std::string CodingsOf(const HeaderFields& response) {
  std::string codings;
  response.ForEachElement("Content-Encoding", [&](std::string_view element) {
    const std::string name = Lower(element);
    if (name != "identity") codings.append(codings.empty() ? "" : ",").append(CodingName(name));
  });
  return codings;
}

}  // namespace meridian::edge

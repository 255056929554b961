#include "edge/costs/waste.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/content_kind.hpp"

namespace meridian::edge {
namespace {

// A response with at least the proposed lifetime is not short-lived.
constexpr Duration kDay = std::chrono::hours{24};
constexpr Duration kTenMinutes = std::chrono::minutes{10};

// `names` are in lower case and separated by commas.
bool HasName(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    std::string_view first = names.substr(0, names.find(','));
    if (first == name) return true;
    names.remove_prefix(first.size());
    if (!names.empty()) names.remove_prefix(1);
  }
  return false;
}

std::optional<Waste> When(bool so, Waste waste) {
  return so ? std::optional<Waste>(waste) : std::nullopt;
}

// For a storable 200 that was not a hit.
std::optional<Waste> JudgeStored(const WasteInput& input) {
  if (input.stored == WasteInput::Stored::kWithoutValidator) return Waste::kNoValidator;
  if (input.stored == WasteInput::Stored::kWithValidator) {
    // A freshness lifetime saves more than a 304.
    const Waste waste = input.never_fresh ? Waste::kNeverFresh : Waste::kIgnoresValidator;
    return When(input.same_as_before, waste);
  }
  bool by_visitor = HasName(input.vary, "user-agent") || HasName(input.vary, "cookie");
  return When(input.other_variant && by_visitor, Waste::kVaryByVisitor);
}

}  // namespace

std::optional<Waste> JudgeWaste(const WasteInput& input) {
  const bool confirmed = input.status == 304 && input.stored != WasteInput::Stored::kNone;
  if (confirmed) {
    const bool is_short = input.lifetime < (IsUsuallyStatic(input.content) ? kDay : kTenMinutes);
    return When(is_short && !input.demanded, Waste::kShortLived);
  }
  if (input.status != 200) return std::nullopt;
  switch (input.storability) {
    case Storability::kStore:
      return input.demanded ? std::nullopt : JudgeStored(input);
    case Storability::kFreshness:
      if (input.says_freshness) return When(input.same_as_before, Waste::kNeverFresh);
      return When(input.asked_before && !input.changed, Waste::kNoFreshness);
    case Storability::kNoStore:
      return When(input.same_as_before, Waste::kNoStore);
    case Storability::kPrivate:
      return When(input.same_as_before, Waste::kPrivate);
    case Storability::kAuthorization:
      return When(input.same_as_before, Waste::kAuthorization);
    case Storability::kSetCookie: {
      const bool same =
          input.same_as_before || (input.asked_before && IsUsuallyStatic(input.content));
      return When(same, Waste::kSetCookie);
    }
    case Storability::kVary:
      return When(input.asked_before, Waste::kVary);
    case Storability::kRequest:
    case Storability::kStatus:
    case Storability::kFraming:
    case Storability::kTags:
    case Storability::kTooLarge:
    case Storability::kVariant:
    case Storability::kRoom:
      return std::nullopt;
  }
  return std::nullopt;
}

bool WastesBody(Waste waste) { return waste != Waste::kShortLived; }

std::string_view WasteName(Waste waste) {
  switch (waste) {
    case Waste::kNoFreshness:
      return "no-freshness";
    case Waste::kNeverFresh:
      return "never-fresh";
    case Waste::kNoStore:
      return "no-store";
    case Waste::kPrivate:
      return "private";
    case Waste::kAuthorization:
      return "authorization";
    case Waste::kSetCookie:
      return "set-cookie";
    case Waste::kVary:
      return "vary";
    case Waste::kVaryByVisitor:
      return "vary-by-visitor";
    case Waste::kNoValidator:
      return "no-validator";
    case Waste::kIgnoresValidator:
      return "ignores-validator";
    case Waste::kShortLived:
      return "short-lived";
  }
  return "";
}

std::string_view WasteProblem(Waste waste) {
  switch (waste) {
    case Waste::kNoFreshness:
      return "does not say how long it is fresh";
    case Waste::kNeverFresh:
      return "is never fresh, and yet the same each time";
    case Waste::kNoStore:
      return "is no-store, and yet the same each time";
    case Waste::kPrivate:
      return "is private, and yet the same each time";
    case Waste::kAuthorization:
      return "answers Authorization, and yet is the same each time";
    case Waste::kSetCookie:
      return "sets a cookie";
    case Waste::kVary:
      return "varies by everything";
    case Waste::kVaryByVisitor:
      return "varies by User-Agent or Cookie";
    case Waste::kNoValidator:
      return "has no validator: it is sent again when it has expired";
    case Waste::kIgnoresValidator:
      return "is sent again although If-None-Match names it";
    case Waste::kShortLived:
      return "expires soon, and is then confirmed unchanged (304)";
  }
  return "";
}

std::string ProposedHeader(Waste waste, ContentKind content) {
  const bool is_static = IsUsuallyStatic(content);
  switch (waste) {
    case Waste::kNoFreshness:
    case Waste::kNeverFresh:
      return is_static ? "Cache-Control: public, max-age=86400"
                       : "Cache-Control: public, max-age=60 (if all visitors may see it)";
    case Waste::kNoStore:
    case Waste::kPrivate:
    case Waste::kAuthorization:
      return is_static ? "Cache-Control: public, max-age=86400 (if all visitors may see it)"
                       : "Cache-Control: public, max-age=60 (if all visitors may see it)";
    case Waste::kSetCookie:
      return "no Set-Cookie here";
    case Waste::kVary:
    case Waste::kVaryByVisitor:
      return "Vary: Accept-Encoding";
    case Waste::kNoValidator:
      return "ETag: \"VERSION-OF-THE-CONTENT\"";
    case Waste::kIgnoresValidator:
      return "304 when If-None-Match has the ETag";
    case Waste::kShortLived:
      return is_static ? "Cache-Control: public, max-age=86400"
                       : "Cache-Control: public, max-age=600, stale-while-revalidate=60";
  }
  return "";
}

}  // namespace meridian::edge

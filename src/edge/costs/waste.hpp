// Waste: a fetch that better header fields would have made a hit, its reason, and the header that
// fixes it. Pure.
//
// Necessary fetches are not waste: the first response of a URL, and changed content. Content that
// an application keeps from caches (private, no-store) is waste only when the same content was sent
// twice. The edge cannot know whether all visitors may see it; the text of the proposed header says
// so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/storability.hpp"
#include "edge/cache/storage/content_kind.hpp"

namespace meridian::edge {

enum class Waste : uint8_t {
  kNoFreshness,       // no explicit freshness lifetime
  kNeverFresh,        // max-age=0 or the like, for content that does not change
  kNoStore,           // no-store, for content that does not change
  kPrivate,           // private, for content that does not change
  kAuthorization,     // the request had Authorization, and the response does not allow sharing
  kSetCookie,         // Set-Cookie on content that is the same for all visitors
  kVary,              // Vary: "*", or too many fields
  kVaryByVisitor,     // Vary: User-Agent or Cookie: nearly one variant for each visitor
  kNoValidator,       // expired without a validator: the whole body was fetched again
  kIgnoresValidator,  // the origin answered If-None-Match with the same content instead of 304
  kShortLived,        // expired and was validated by a 304: only the request was wasted
};

struct WasteInput {
  enum class Stored : uint8_t { kNone, kWithoutValidator, kWithValidator };

  ContentKind content = ContentKind::kOther;
  int status = 200;
  Storability storability = Storability::kStore;
  bool says_freshness = false;    // has a lifetime, be it 0, or no-cache
  bool never_fresh = false;       // each use needs validation
  Duration lifetime{};            // of the stored response that was validated
  bool demanded = false;          // the request refused the stored response
  bool asked_before = false;      // this URL has been fetched before
  bool same_as_before = false;    // with the same content
  bool changed = false;           // with other content; both false: unknown
  bool other_variant = false;     // only variants for other requests are stored
  std::string_view vary = {};     // by ParseVary
  Stored stored = Stored::kNone;  // the response that the origin was asked to validate
};

// For a GET that missed and was answered by the origin. Nothing: no header would have saved the
// fetch.
std::optional<Waste> JudgeWaste(const WasteInput& input);

// Whether the body was wasted, or only the request.
bool WastesBody(Waste waste);

// For reports: a token, the problem in a few words, and the header that fixes it.
std::string_view WasteName(Waste waste);
std::string_view WasteProblem(Waste waste);
std::string ProposedHeader(Waste waste, ContentKind content);

}  // namespace meridian::edge

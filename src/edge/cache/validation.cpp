#include "edge/cache/validation.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/request_directives.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/fields/date.hpp"
#include "wire/http/fields/entity_tag.hpp"
#include "wire/http/hop_by_hop.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::EqualsIgnoreCase;
using wire::http::HeaderField;
using wire::http::HeaderFields;

bool NoneMatches(std::string_view list, std::string_view stored) {
  if (list == "*") return false;
  auto tag = wire::http::ParseEntityTag(stored);
  return !tag || !wire::http::ListHasWeakMatch(list, *tag);
}

// Without Last-Modified, the Date of the stored response is compared.
bool IsUnmodifiedSince(std::string_view since_text, const Validators& stored, WallTime now) {
  auto since = wire::http::ParseDate(since_text, now);
  std::string_view text = stored.last_modified.empty() ? stored.date : stored.last_modified;
  auto modified = wire::http::ParseDate(text, now);
  return since && modified && *modified <= *since;
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names,
                             [&](std::string_view each) { return EqualsIgnoreCase(each, name); });
}

// Whether a field describes the stored body's coding or range (RFC 9111 3.2).
bool DescribesBody(std::string_view name) {
  return IsOneOf(name, {"content-length", "content-encoding", "content-type", "content-range"});
}

}  // namespace

Validators ValidatorsOf(const HeaderFields& fields) {
  return {.etag = fields.Find("ETag").value_or(""),
          .last_modified = fields.Find("Last-Modified").value_or(""),
          .date = fields.Find("Date").value_or("")};
}

bool IsNotModified(const CacheRequest& request, const Validators& stored, WallTime now) {
  if (request.several_if_none_match != nullptr) {
    bool none = true;
    request.several_if_none_match->ForEach("If-None-Match", [&](std::string_view list) {
      none = none && NoneMatches(list, stored.etag);
    });
    return !none;
  }
  if (request.if_none_match) return !NoneMatches(*request.if_none_match, stored.etag);
  if (request.if_modified_since) return IsUnmodifiedSince(*request.if_modified_since, stored, now);
  return false;
}

void AddConditions(const Validators& stored, bool each_time, HeaderFields* request) {
  if (!stored.etag.empty()) request->Add("If-None-Match", stored.etag);
  const bool by_date = !stored.last_modified.empty() && (stored.etag.empty() || !each_time);
  if (by_date) request->Add("If-Modified-Since", stored.last_modified);
}

bool Confirms(const HeaderFields& not_modified, const Validators& stored, bool each_time) {
  Validators sent = ValidatorsOf(not_modified);
  if (!sent.etag.empty()) {
    auto a = wire::http::ParseEntityTag(sent.etag);
    auto b = wire::http::ParseEntityTag(stored.etag);
    if (!a || !b) return sent.etag == stored.etag;
    return a->weak ? wire::http::WeakMatch(*a, *b) : wire::http::StrongMatch(*a, *b);
  }
  // A 304 without a validator may be about another visitor's response of the same age.
  const bool by_date_alone = each_time && stored.etag.empty();
  if (sent.last_modified.empty()) return !by_date_alone;
  return sent.last_modified == stored.last_modified;
}

HeaderFields UpdatedFields(const HeaderFields& stored, const HeaderFields& not_modified) {
  wire::http::ForwardFilter filter(not_modified, true);
  auto replaces = [&](std::string_view name) {
    return filter.Forwards(name) && !DescribesBody(name);
  };
  HeaderFields fields;
  fields.Reserve(stored.size() + not_modified.size());
  for (const HeaderField& field : stored) {
    bool replaced = replaces(field.name) && not_modified.Has(field.name);
    // Age and Date come from the 304 alone, even when it has none.
    bool of_answer = IsOneOf(field.name, {"age", "date"});
    if (!replaced && !of_answer) fields.Add(field.name, field.value);
  }
  for (const HeaderField& field : not_modified) {
    if (replaces(field.name)) fields.Add(field.name, field.value);
  }
  return fields;
}

bool IsStrongTag(std::string_view etag) {
  auto tag = wire::http::ParseEntityTag(etag);
  return tag && !tag->weak;
}

HeadVerdict JudgeHead(const wire::http::ResponseHead& head, const Validators& stored,
                      uint64_t stored_length) {
  const Validators sent = ValidatorsOf(head.fields);
  const bool other_length = head.content_length && *head.content_length != stored_length;
  const bool other = (!sent.etag.empty() && sent.etag != stored.etag) ||
                     (!sent.last_modified.empty() && sent.last_modified != stored.last_modified) ||
                     (other_length && *head.content_length != 0);
  if (other) return HeadVerdict::kOther;
  if (other_length) return HeadVerdict::kUnknown;
  // No validator differs, so that a present validator equals the stored one.
  const bool repeated = IsStrongTag(stored.etag) ? !sent.etag.empty() : !sent.last_modified.empty();
  return repeated ? HeadVerdict::kSame : HeadVerdict::kUnknown;
}

bool BelongsIn304(std::string_view name) {
  return !IsOneOf(name,
                  {"content-type", "content-encoding", "content-language", "content-length",
                   "content-range", "content-md5", "content-digest", "repr-digest", "digest"});
}

}  // namespace meridian::edge

#include "edge/cache/storage/stored_response.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/tags.hpp"
#include "edge/cache/validation.hpp"
#include "edge/cache/vary.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/fields/date.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::EqualsIgnoreCase;
using wire::http::HeaderField;

void AppendLine(std::string_view name, std::string_view value, std::string* lines) {
  lines->append(name).append(": ").append(value).append("\r\n");
}

// Includes Trailer: trailers are not stored, so that none may be announced.
bool IsFraming(std::string_view name) {
  return EqualsIgnoreCase(name, "content-length") || EqualsIgnoreCase(name, "age") ||
         EqualsIgnoreCase(name, "trailer") || EqualsIgnoreCase(name, "content-range");
}

// Ids of the one request that the origin answered: many frameworks repeat them in the response, and
// another visitor must not get them.
constexpr auto kRequestIdFields =
    std::to_array<std::string_view>({"X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Trace-Id",
                                     "traceparent", "tracestate", "traceresponse"});

bool IsRequestIdField(std::string_view name) {
  return std::ranges::any_of(
      kRequestIdFields, [name](std::string_view each) { return EqualsIgnoreCase(name, each); });
}

void WriteLines(const StoredResponseInput& input, StoredResponse* response) {
  bool has_date = false;
  for (const HeaderField& field : input.fields) {
    if (IsFraming(field.name) || IsRequestIdField(field.name)) continue;
    has_date = has_date || EqualsIgnoreCase(field.name, "date");
    AppendLine(field.name, field.value, &response->lines);
    if (BelongsIn304(field.name)) AppendLine(field.name, field.value, &response->lines_of_304);
  }
  if (!has_date) {
    wire::http::HttpDate date = wire::http::FormatDate(input.received);
    AppendLine("Date", date.text(), &response->lines);
    AppendLine("Date", date.text(), &response->lines_of_304);
  }
  response->lines.shrink_to_fit();
  response->lines_of_304.shrink_to_fit();
}

}  // namespace

wire::http::HeaderFields StoredResponse::ParseLines() const {
  wire::http::HeaderFields fields;
  std::string_view rest = lines;
  while (!rest.empty()) {
    size_t end = rest.find("\r\n");
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    size_t colon = line.find(':');
    fields.Add(line.substr(0, colon), line.substr(colon + 2));
  }
  return fields;
}

size_t StoredResponse::MemoryBytes() const {
  return sizeof(StoredResponse) + 2 * kAllocationBytes +  // and its count of references
         lines.capacity() + lines_of_304.capacity() + content_type.capacity() + vary.capacity() +
         variant.capacity() + codings.capacity() + tags.capacity() * sizeof(std::string_view) +
         7 * kAllocationBytes;
}

std::shared_ptr<StoredResponse> MakeStoredResponse(const StoredResponseInput& input,
                                                   const std::shared_ptr<ByteBudget>& budget) {
  auto response = std::make_shared<StoredResponse>(budget);
  response->status = input.status;
  WriteLines(input, response.get());
  wire::http::HeaderFields own = response->ParseLines();
  response->validators = ValidatorsOf(own);
  response->content_type = own.Find("Content-Type").value_or("");
  response->kind = ContentKindOf(response->content_type);
  response->control = input.control;
  response->freshness = input.freshness;
  std::optional<std::string> vary = ParseVary(own);
  if (!vary) return nullptr;
  std::optional<std::string> variant = VariantKey(*vary, input.request);
  auto tags = ReadTags(own);
  if (!variant || !tags) return nullptr;
  response->vary = std::move(*vary);
  const bool same = input.confirms != nullptr && input.confirms->vary == response->vary;
  if (same) variant = input.confirms->variant;
  response->variant = std::move(*variant);
  response->codings = CodingsOf(own);
  response->tags = std::move(*tags);
  response->body = input.body;
  response->piece = input.piece;
  // A validated response keeps the body, and so the flag, of the first request.
  response->by_cookie = (input.request.Has("Cookie") && !input.control.is_public) ||
                        (input.confirms != nullptr && input.confirms->by_cookie);
  if (!response->charge.Add(response->MemoryBytes())) return nullptr;
  return response;
}

}  // namespace meridian::edge

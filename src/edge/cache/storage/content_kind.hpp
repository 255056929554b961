// The kind of a response's content, by its media type. The number of kinds is fixed, so that
// metrics with a series for each are bounded. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace meridian::edge {

enum class ContentKind : uint8_t {
  kHtml,
  kCss,
  kJavaScript,
  kJson,
  kText,  // any other text/
  kPng,
  kJpeg,
  kWebp,
  kAvif,
  kGif,
  kSvg,
  kFont,
  kVideo,
  kAudio,
  kOther,
};
constexpr size_t kContentKinds = 15;

// `content_type` is the field's value; its parameters are ignored.
ContentKind ContentKindOf(std::string_view content_type);

// The name in metrics and reports: a media type, or "video/*".
std::string_view ContentKindName(ContentKind kind);

// Whether such content is usually the same for all visitors: images, scripts, style sheets, fonts,
// video, audio.
bool IsUsuallyStatic(ContentKind kind);

}  // namespace meridian::edge

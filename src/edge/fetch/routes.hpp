// Where a request goes from the edge: to its own data center, and when that cannot serve, to the
// nearest other one that can. Pure: a function of the view; made once for each view.
//
// Invariants: a request crosses to another data center at most once (counted by Via): one that has
// already come from an edge is served here or not at all. Whoever has a healthy instance serves:
// first the data centers that serve and are available, then those of which something else is
// broken, and last those that are draining or drained.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "site/view/view.hpp"

namespace meridian::edge {

struct Routes {
  // Data centers in the order in which they are tried; the edge's own is among them by its name.
  // Empty: no instance is healthy anywhere within reach.
  std::vector<std::string> from_visitors;
  std::vector<std::string> from_edges;
};

// `own_balancer_answers`: what the edge knows of the balancer beside it, where it goes by that.
Routes MakeRoutes(const site::SiteView& view, std::string_view here,
                  bool own_balancer_answers = true);

// How many Meridian edges a request has passed: the entries of its Via fields (RFC 9110 7.6.3) that
// name one. `via` is one field's value.
int CountEdges(std::string_view via);

// How an edge calls itself in Via.
constexpr std::string_view kViaName = "meridian-edge";

// Its entry in the Via of a message that was received, or is made here, in HTTP/1.`minor_version`.
constexpr std::string_view ViaEntry(int minor_version = 1) {
  return minor_version == 0 ? "1.0 meridian-edge" : "1.1 meridian-edge";
}

}  // namespace meridian::edge

// The data centers that the edge tries for a request: its own, and when that cannot serve, the
// others by distance. Pure: a function of the view; made once for each view.
//
// Invariants: a request crosses to another data center at most once (counted by Via): a request
// that came from another edge is served in this data center or refused. Every data center with a
// healthy instance is in the route: first the available ones, then those with another failure, last
// those that are draining or drained.
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

// `own_balancer_answers`: false when the balancer of the own data center fails the edge's checks.
Routes MakeRoutes(const site::SiteView& view, std::string_view here,
                  bool own_balancer_answers = true);

// How many entries of `via`, the value of one Via field (RFC 9110 7.6.3), name a Meridian edge.
int CountEdges(std::string_view via);

// The edge's name in Via.
constexpr std::string_view kViaName = "meridian-edge";

// The edge's Via entry for a message that it received, or makes itself, in HTTP/1.`minor_version`.
constexpr std::string_view ViaEntry(int minor_version = 1) {
  return minor_version == 0 ? "1.0 meridian-edge" : "1.1 meridian-edge";
}

}  // namespace meridian::edge

global using Hone;
global using Hone.Engine;
global using MultiHopResearch;

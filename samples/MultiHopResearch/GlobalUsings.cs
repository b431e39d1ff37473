global using Hone;
